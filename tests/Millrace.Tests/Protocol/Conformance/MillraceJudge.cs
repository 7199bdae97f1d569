using System.Buffers;
using System.Collections.Immutable;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Intake;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Millrace.Tests.Broker.Partitions;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>What this broker does with a batch on a topic with default settings.</summary>
internal static class MillraceJudge
{
    private static readonly TopicSettings Settings = TopicSettings.Of(
        PartitionsUnderTest.Configs, MetadataImage.Empty, new TopicImage(default, "t", 1, [], ImmutableSortedDictionary<string, string>.Empty));

    public static BatchJudgement Judge(byte[] bytes)
    {
        using var buffers = new BufferPool(0);
        var frame = Batches.Frame(buffers, bytes);
        try
        {
            var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            var error = new BatchIntake(buffers).Check(new ReadOnlySequence<byte>(frame.Memory), frame, allowZstd: true, Settings, now, out var batch, out _);
            return error == PartitionError.None
                ? new BatchJudgement(0, Digest(RecordBatch.Split(batch.Bytes).Single()))
                : new BatchJudgement((short)KafkaErrorMap.ToErrorCode(error), "-");
        }
        finally
        {
            frame.Release();
        }
    }

    private static string Digest(RecordBatch batch)
    {
        var records = batch.ReadRecords(64 << 20).ToList();
        var digest = 1L;
        foreach (var record in records)
        {
            digest = Add(Add(digest, record.Offset), record.Timestamp);
            digest = Add(Add(digest, record.Key), record.Value);
            digest = record.Headers.Aggregate(digest, (sum, header) => Add(sum, header.Value));
        }

        return $"{records.Count}:{digest:x}";
    }

    // As JudgeBatches.java does it.
    public static long Add(long digest, long value) => (digest ^ value) * 0x100000001b3L;

    public static long Add(long digest, ReadOnlyMemory<byte>? bytes)
    {
        digest = Add(digest, bytes?.Length ?? -1);
        foreach (var value in bytes.GetValueOrDefault().Span)
        {
            digest = Add(digest, (sbyte)value);
        }

        return digest;
    }
}
