using System.Buffers.Binary;
using Millrace.Runtime;

namespace Millrace.Broker.Partitions;

/// <summary>Writes into a batch what only the append decides.</summary>
internal static class BatchPlacement
{
    public static void Write(Span<byte> batch, long baseOffset, int leaderEpoch, long? appendTime)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[12..], leaderEpoch);
        if (appendTime is { } time)
        {
            batch[22] |= 8;
            BinaryPrimitives.WriteInt64BigEndian(batch[35..], time);
            BinaryPrimitives.WriteUInt32BigEndian(batch[17..], Crc32C.Of(batch[21..]));
        }
    }
}
