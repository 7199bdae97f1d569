namespace Millrace.Protocol.Records;

/// <summary>
/// Judges what a producer sent for one partition, down to each record, without throwing. Uncompressed batches are
/// walked once and nothing is allocated for a valid one; compressed ones are decompressed into a borrowed array.
/// </summary>
public static class RecordBatchValidator
{
    public const int MaxReportedRecords = 1000;

    private const long NoTimestamp = -1;

    /// <param name="batch">All bytes sent for the partition.</param>
    /// <param name="rules">What the topic demands.</param>
    public static RecordBatchVerdict Validate(ReadOnlyMemory<byte> batch, in RecordBatchRules rules)
    {
        if (!RecordBatchHeader.TryRead(batch.Span, out var header))
        {
            return new() { Error = RecordBatchError.Truncated };
        }

        var error = CheckHeader(batch.Span, header, rules);
        if (error != RecordBatchError.None)
        {
            return new() { Error = error, Header = header };
        }

        var records = batch[RecordBatchHeader.Size..];
        if (header.Codec == CompressionCodec.None)
        {
            return CheckRecords(records.Span, header, rules);
        }

        var outcome = RecordCompression.Decompress(header.Codec, records, rules.MaxDecompressedBytes, out var decompressed);
        if (outcome == DecompressionOutcome.Done)
        {
            using (decompressed)
            {
                return CheckRecords(decompressed!.Span, header, rules);
            }
        }

        return new()
        {
            Error = outcome switch
            {
                DecompressionOutcome.TooLarge => RecordBatchError.DecompressedTooLarge,
                DecompressionOutcome.OutOfMemory => RecordBatchError.OutOfMemory,
                DecompressionOutcome.Malformed or DecompressionOutcome.Done => RecordBatchError.Undecodable,
            },
            Header = header,
        };
    }

    private static RecordBatchError CheckHeader(ReadOnlySpan<byte> batch, in RecordBatchHeader header, in RecordBatchRules rules)
    {
        // The magic decides what every other byte means, so it comes first, and the checksum before what it covers.
        if (header.Magic != RecordBatchHeader.CurrentMagic)
        {
            return header.Magic is 0 or 1 ? RecordBatchError.OldFormat : RecordBatchError.UnknownFormat;
        }

        if (header.Length < RecordBatchHeader.Size - RecordBatchHeader.LengthOverhead || header.Length > batch.Length - RecordBatchHeader.LengthOverhead)
        {
            return RecordBatchError.Truncated;
        }

        return header switch
        {
            _ when header.SizeInBytes < batch.Length => RecordBatchError.MoreThanOneBatch,
            _ when batch.Length > rules.MaxBatchBytes => RecordBatchError.TooLarge,
            _ when header.Crc != RecordBatchPatch.ComputeCrc(batch) => RecordBatchError.CorruptChecksum,
            { Codec: CompressionCodec.Zstd } when !rules.AllowZstd => RecordBatchError.CodecNotAllowed,
            _ when !RecordCompression.IsKnown(header.Codec) => RecordBatchError.UnknownCodec,
            { BaseOffset: not 0 } or { RecordCount: <= 0 } => RecordBatchError.InconsistentOffsets,
            _ when header.LastOffsetDelta != header.RecordCount - 1 => RecordBatchError.InconsistentOffsets,
            { IsControl: true } => RecordBatchError.ControlBatch,
            { HasDeleteHorizon: true } => RecordBatchError.DeleteHorizon,
            { HasProducerId: true, BaseSequence: < 0 } or { HasProducerId: true, ProducerEpoch: < 0 } => RecordBatchError.MissingSequence,
            { TimestampType: TimestampType.LogAppendTime } => RecordBatchError.LogAppendTimeByClient,
            _ => RecordBatchError.None,
        };
    }

    private static RecordBatchVerdict CheckRecords(ReadOnlySpan<byte> records, in RecordBatchHeader header, in RecordBatchRules rules)
    {
        var reader = new RecordReader(records);
        var checkTimestamps = rules.TimestampType == TimestampType.CreateTime;
        var maxTimestamp = NoTimestamp;
        var offsetOfMaxTimestamp = 0;
        var wrong = RecordBatchError.None;
        List<int>? wrongRecords = null;
        for (var i = 0; i < header.RecordCount; i++)
        {
            if (!reader.TryRead(out var record))
            {
                return new() { Error = RecordBatchError.MalformedRecord, Header = header, InvalidRecords = [i] };
            }

            if (record.OffsetDelta != i)
            {
                return new() { Error = RecordBatchError.InconsistentOffsets, Header = header, InvalidRecords = [i] };
            }

            var timestamp = header.BaseTimestamp + record.TimestampDelta;
            if (timestamp > maxTimestamp)
            {
                maxTimestamp = timestamp;
                offsetOfMaxTimestamp = i;
            }

            var error = CheckRecord(record, timestamp, checkTimestamps, rules);
            if (error != RecordBatchError.None)
            {
                // A wrong timestamp says more than a missing key: Kafka reports it for the batch when both occur.
                wrong = wrong == RecordBatchError.TimestampOutOfRange ? wrong : error;
                wrongRecords ??= [];
                if (wrongRecords.Count < MaxReportedRecords)
                {
                    wrongRecords.Add(i);
                }
            }
        }

        if (!reader.AtEnd)
        {
            return new() { Error = RecordBatchError.MalformedRecord, Header = header, InvalidRecords = [] };
        }

        return new()
        {
            Error = wrong,
            Header = header,
            MaxTimestamp = maxTimestamp,
            OffsetDeltaOfMaxTimestamp = offsetOfMaxTimestamp,
            InvalidRecords = wrongRecords ?? (IReadOnlyList<int>)[],
        };
    }

    private static RecordBatchError CheckRecord(in RecordView record, long timestamp, bool checkTimestamps, in RecordBatchRules rules)
    {
        if (rules.RequireKeys && !record.HasKey)
        {
            return RecordBatchError.MissingKey;
        }

        return checkTimestamps && timestamp != NoTimestamp && (timestamp < rules.EarliestTimestamp || timestamp > rules.LatestTimestamp)
            ? RecordBatchError.TimestampOutOfRange
            : RecordBatchError.None;
    }
}
