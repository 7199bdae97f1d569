using System.Buffers;
using System.Runtime.InteropServices;
using Millrace.Broker.Errors;
using Millrace.Metadata.Configs;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker.Partitions.Intake;

/// <summary>Judges what a producer sent for one partition, and makes of it a batch that can be appended as it is.</summary>
internal sealed class BatchIntake(BufferPool buffers)
{
    // Clients fill a batch by what it takes uncompressed, and few allow more than some megabytes. This keeps a bomb from
    // taking the memory, and leaves room for records that compress well.
    private const long LeastDecompressedLimit = 64L << 20;
    private const int DecompressedPerAllowedByte = 16;

    /// <param name="records">The bytes sent for the partition, a part of <paramref name="frame"/>. May be written to.</param>
    /// <param name="frame">The request's memory.</param>
    /// <param name="allowZstd">The request's version is one that knows zstd.</param>
    /// <param name="settings">The topic's.</param>
    /// <param name="now">Milliseconds since the Unix epoch.</param>
    /// <param name="batch">The batch, if it is in order. If its buffer is not the frame, the caller releases it when the append has begun.</param>
    /// <param name="refusal">What to tell the producer, if it is not.</param>
    public PartitionError Check(
        ReadOnlySequence<byte>? records,
        PooledBuffer frame,
        bool allowZstd,
        TopicSettings settings,
        long now,
        out ProducedBatch batch,
        out BatchRefusal? refusal)
    {
        batch = default;
        var bytes = records?.First ?? default;
        Invariant.Check(records is null || bytes.Length == records.Value.Length);
        var verdict = RecordBatchValidator.Validate(bytes, Rules(settings, allowZstd, now));
        var error = Judge(verdict, settings);
        refusal = error == PartitionError.None ? null : BatchRefusal.Of(error, verdict);
        if (error != PartitionError.None)
        {
            return error;
        }

        var memory = MemoryMarshal.AsMemory(bytes);
        var codec = StoredCodec(settings, verdict.Header.Codec);
        if (codec != verdict.Header.Codec)
        {
            if (!BatchRecompression.TryRecompress(bytes, verdict.Header, codec, StoredLevel(settings, codec), buffers, out var recompressed))
            {
                verdict = verdict with { Error = RecordBatchError.OutOfMemory };
                error = Judge(verdict, settings);
                refusal = BatchRefusal.Of(error, verdict);
                return error;
            }

            if (recompressed.Length > settings.MaxMessageBytes)
            {
                recompressed.Release();
                refusal = BatchRefusal.Of(PartitionError.BatchTooLarge, verdict);
                return PartitionError.BatchTooLarge;
            }

            (memory, frame) = (recompressed.Memory, recompressed);
        }

        if (!settings.StampsAppendTime && verdict.MaxTimestamp != verdict.Header.MaxTimestamp)
        {
            // What the header says decides about retention and lookups by time: it says what the records say.
            RecordBatchPatch.SetTimestamps(memory.Span, TimestampType.CreateTime, verdict.MaxTimestamp);
        }

        batch = new ProducedBatch(
            memory,
            frame,
            verdict.Header.RecordCount,
            verdict.MaxTimestamp,
            verdict.Header.ProducerId,
            verdict.Header.ProducerEpoch,
            verdict.Header.BaseSequence,
            settings.StampsAppendTime);
        return PartitionError.None;
    }

    private static RecordBatchRules Rules(TopicSettings settings, bool allowZstd, long now) => new()
    {
        MaxBatchBytes = settings.MaxMessageBytes,
        MaxDecompressedBytes = (int)Math.Min(Array.MaxLength, Math.Max(LeastDecompressedLimit, (long)settings.MaxMessageBytes * DecompressedPerAllowedByte)),
        AllowZstd = allowZstd,
        RequireKeys = settings.IsCompacted,
        TimestampType = settings.StampsAppendTime ? TimestampType.LogAppendTime : TimestampType.CreateTime,

        // The largest setting stands for no limit: below now it does not overflow, and times before 1970 are among those it allows.
        EarliestTimestamp = now - settings.TimestampBeforeMaxMs,
        LatestTimestamp = now + Math.Min(settings.TimestampAfterMaxMs, long.MaxValue - now),
    };

    private static PartitionError Judge(in RecordBatchVerdict verdict, TopicSettings settings) => verdict.Error switch
    {
        RecordBatchError.None => verdict.Header switch
        {
            { IsTransactional: true } => PartitionError.NoTransaction,
            _ when verdict.Header.SizeInBytes > settings.SegmentBytes => PartitionError.BatchExceedsSegment,
            _ => PartitionError.None,
        },

        // As Kafka: a length that no batch has is damage, fewer bytes than the length says are no batch at all.
        RecordBatchError.Truncated =>
            verdict.Header is { Magic: RecordBatchHeader.CurrentMagic, Length: < RecordBatchHeader.Size - RecordBatchHeader.LengthOverhead }
                ? PartitionError.CorruptBatch
                : PartitionError.InvalidRecord,
        RecordBatchError.UnknownFormat or RecordBatchError.CorruptChecksum => PartitionError.CorruptBatch,
        RecordBatchError.TooLarge or RecordBatchError.DecompressedTooLarge => PartitionError.BatchTooLarge,
        RecordBatchError.OutOfMemory => PartitionError.TimedOut,
        RecordBatchError.CodecNotAllowed or RecordBatchError.UnknownCodec => PartitionError.UnsupportedCompression,
        RecordBatchError.LogAppendTimeByClient or RecordBatchError.TimestampOutOfRange => PartitionError.InvalidTimestamp,
        RecordBatchError.MoreThanOneBatch or RecordBatchError.OldFormat or RecordBatchError.InconsistentOffsets
            or RecordBatchError.ControlBatch or RecordBatchError.DeleteHorizon or RecordBatchError.MissingSequence
            or RecordBatchError.Undecodable or RecordBatchError.MalformedRecord or RecordBatchError.MissingKey => PartitionError.InvalidRecord,
    };

    private static CompressionCodec StoredCodec(TopicSettings settings, CompressionCodec sent) => settings.CompressionType switch
    {
        "uncompressed" => CompressionCodec.None,
        "gzip" => CompressionCodec.Gzip,
        "snappy" => CompressionCodec.Snappy,
        "lz4" => CompressionCodec.Lz4,
        "zstd" => CompressionCodec.Zstd,
        _ => sent,
    };

    private static int? StoredLevel(TopicSettings settings, CompressionCodec codec) => codec switch
    {
        CompressionCodec.Gzip => settings.CompressionGzipLevel,
        CompressionCodec.Lz4 => settings.CompressionLz4Level,
        CompressionCodec.Zstd => settings.CompressionZstdLevel,
        CompressionCodec.None or CompressionCodec.Snappy => null,
    };
}
