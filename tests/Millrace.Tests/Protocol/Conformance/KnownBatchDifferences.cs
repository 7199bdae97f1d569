using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>
/// Where this broker's answer to a batch is another than Kafka's, and why: docs/compatibility.md has the same list in words. It
/// goes by the bytes, and by what Kafka's consumer makes of them, and not by how a case was made.
/// </summary>
internal static class KnownBatchDifferences
{
    private const short UnknownServerError = -1;
    private const short UnsupportedCompression = 76;
    private const short InvalidRecord = 87;

    public static string? ReasonFor(BatchCase batch, BatchJudgement ours, BatchJudgement kafka)
    {
        if (ours.IsTaken)
        {
            return null;
        }

        if (!kafka.IsTaken)
        {
            return ours.Code is InvalidRecord or UnsupportedCompression && kafka.Code == UnknownServerError
                ? $"ours {ours.Code}, Kafka's {kafka.Code}: its decoder throws what its broker has no code for"
                : $"ours {ours.Code}, Kafka's {kafka.Code}: two faults, of which Kafka looks at the other first";
        }

        return kafka.Content == BatchJudgement.Unreadable ? "Kafka stores what its own consumer cannot read" : ReasonFor(batch.Bytes, kafka);
    }

    /// <summary>
    /// Why kafka-python reads otherwise what Kafka takes too: of zstd it reads the first frame alone, keys of headers must be
    /// UTF-8 for it, and attributes of records below 128, and times are those of a header whose largest time is above the records' own, which the
    /// broker corrects.
    /// </summary>
    public static bool IsUnreadableForPython(BatchCase batch)
    {
        RecordBatchHeader.TryRead(batch.Bytes, out var header);
        var records = RecordBatch.Split(batch.Bytes).Single().ReadRecords(64 << 20);
        return (header.Codec == CompressionCodec.Zstd && HasSeveralFrames(batch.Bytes.AsSpan(RecordBatchHeader.Size)))
            || records.SelectMany(record => record.Headers).Any(each => !IsText(each.Key))
            || LooseRecords.Of(batch.Bytes) is { HasLargeAttributes: true }
            || header.MaxTimestamp != records.Max(record => record.Timestamp);
    }

    private static string? ReasonFor(byte[] batch, BatchJudgement kafka)
    {
        var undone = new List<string>();
        foreach (var (reason, undo) in BatchMends.All)
        {
            var mended = undo(batch);
            if (!mended.AsSpan().SequenceEqual(batch))
            {
                undone.Add(reason);
                batch = mended;
            }
        }

        if (MillraceJudge.Judge(batch) is not { IsTaken: true } judgement)
        {
            if (LooseRecords.Of(batch) is not { } loose || loose.Content != kafka.Content)
            {
                return null;
            }

            undone.AddRange(loose.HasOddOffsets ? ["offsets that are not consecutive"] : []);
            undone.AddRange(loose.HasOddNumbers ? ["lengths below -1, and numbers beyond their type, which librdkafka cannot read"] : []);
        }
        else if (judgement != kafka)
        {
            return null;
        }

        return undone.Count == 0 ? null : string.Join("; ", undone);
    }

    private static unsafe bool HasSeveralFrames(ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = payload)
        {
            return (int)ZstdSharp.Unsafe.Methods.ZSTD_findFrameCompressedSize(bytes, (nuint)payload.Length) < payload.Length;
        }
    }

    private static bool IsText(string key) => !key.Contains('\ufffd', StringComparison.Ordinal);
}
