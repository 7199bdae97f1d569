using System.Buffers.Binary;
using Millrace.Runtime.Buffers;

namespace Millrace.Protocol.Records;

/// <summary>
/// Changes a batch in place. Base offset and leader epoch stand before the checksummed part and cost nothing;
/// timestamps stand inside it.
/// </summary>
public static class RecordBatchPatch
{
    /// <summary>Gives a batch its place in a partition.</summary>
    public static void SetPosition(Span<byte> batch, long baseOffset, int partitionLeaderEpoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.BaseOffsetAt..], baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.PartitionLeaderEpochAt..], partitionLeaderEpoch);
    }

    /// <summary>Sets where the timestamps come from and the highest one, in milliseconds, and computes the checksum anew.</summary>
    /// <param name="batch">One batch, exactly.</param>
    /// <param name="type">With <see cref="TimestampType.LogAppendTime"/> the highest timestamp counts for every record.</param>
    /// <param name="maxTimestamp">The highest timestamp.</param>
    public static void SetTimestamps(Span<byte> batch, TimestampType type, long maxTimestamp)
    {
        var attributes = BinaryPrimitives.ReadInt16BigEndian(batch[RecordBatchHeader.AttributesAt..]);
        attributes = type == TimestampType.LogAppendTime
            ? (short)(attributes | RecordBatchHeader.LogAppendTimeBit)
            : (short)(attributes & ~RecordBatchHeader.LogAppendTimeBit);
        BinaryPrimitives.WriteInt16BigEndian(batch[RecordBatchHeader.AttributesAt..], attributes);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.MaxTimestampAt..], maxTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(batch[RecordBatchHeader.CrcAt..], ComputeCrc(batch));
    }

    /// <summary>The checksum of an intact batch as a whole, its head included, from the one it carries.</summary>
    public static uint ChecksumOf(ReadOnlySpan<byte> batch) =>
        Crc32C.Join(
            Crc32C.Of(batch[..RecordBatchHeader.AttributesAt]),
            BinaryPrimitives.ReadUInt32BigEndian(batch[RecordBatchHeader.CrcAt..]),
            batch.Length - RecordBatchHeader.AttributesAt);

    /// <summary>The checksum that a batch should have.</summary>
    public static uint ComputeCrc(ReadOnlySpan<byte> batch) => Crc32C.Of(batch[RecordBatchHeader.AttributesAt..]);
}
