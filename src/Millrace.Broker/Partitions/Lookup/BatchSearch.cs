using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;

namespace Millrace.Broker.Partitions.Lookup;

/// <summary>Finds a record by its time inside a stored batch.</summary>
internal static class BatchSearch
{
    /// <summary>The first record from an offset on whose timestamp is at least <paramref name="timestamp"/>, and that timestamp.</summary>
    /// <exception cref="ProtocolException">The batch is not what was stored.</exception>
    public static (long Offset, long Timestamp)? Find(ReadOnlyMemory<byte> batch, long timestamp, long fromOffset)
    {
        if (!RecordBatchHeader.TryRead(batch.Span, out var header))
        {
            throw new ProtocolException("A stored record batch is shorter than its header");
        }

        if (header.MaxTimestamp < timestamp)
        {
            return null;
        }

        if (header.TimestampType == TimestampType.LogAppendTime)
        {
            // One time for all of them.
            return fromOffset <= header.LastOffset ? (Math.Max(fromOffset, header.BaseOffset), header.MaxTimestamp) : null;
        }

        var records = batch[RecordBatchHeader.Size..];
        if (header.Codec == CompressionCodec.None)
        {
            return Find(records.Span, header, timestamp, fromOffset);
        }

        // It was accepted, so it fits.
        var outcome = RecordCompression.Decompress(header.Codec, records, Array.MaxLength, out var decompressed);
        if (outcome != DecompressionOutcome.Done)
        {
            throw new ProtocolException($"The stored record batch at {header.BaseOffset} cannot be decompressed: {outcome}");
        }

        using (decompressed)
        {
            return Find(decompressed!.Span, header, timestamp, fromOffset);
        }
    }

    private static (long Offset, long Timestamp)? Find(ReadOnlySpan<byte> records, in RecordBatchHeader header, long timestamp, long fromOffset)
    {
        var reader = new RecordReader(records);
        for (var i = 0; i < header.RecordCount; i++)
        {
            if (!reader.TryRead(out var record))
            {
                throw new ProtocolException($"Record {i} of the stored batch at {header.BaseOffset} is malformed");
            }

            var offset = header.BaseOffset + record.OffsetDelta;
            var time = header.BaseTimestamp + record.TimestampDelta;
            if (offset >= fromOffset && time >= timestamp)
            {
                return (offset, time);
            }
        }

        return null;
    }
}
