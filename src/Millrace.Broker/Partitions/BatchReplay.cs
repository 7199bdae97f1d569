using System.Buffers.Binary;
using Millrace.Broker.Partitions.Producers;

namespace Millrace.Broker.Partitions;

/// <summary>Reads from a stored batch what its producer's state needs.</summary>
internal static class BatchReplay
{
    public static (long ProducerId, short Epoch, ProducerBatch Batch)? Read(ReadOnlySpan<byte> batch)
    {
        var producerId = BinaryPrimitives.ReadInt64BigEndian(batch[43..]);
        return producerId < 0
            ? null
            : (producerId,
                BinaryPrimitives.ReadInt16BigEndian(batch[51..]),
                new ProducerBatch(
                    BinaryPrimitives.ReadInt32BigEndian(batch[53..]),
                    BinaryPrimitives.ReadInt32BigEndian(batch[23..]),
                    BinaryPrimitives.ReadInt64BigEndian(batch),
                    BinaryPrimitives.ReadInt64BigEndian(batch[35..])));
    }
}
