using System.Buffers;
using System.Collections.Concurrent;
using Millrace.Protocol;
using Millrace.Protocol.Records;
using Millrace.Simulation.Scenarios.Brokers;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>The topics of a stress, and what its clients know of them: each record has a number, and every byte of it follows from that.</summary>
internal sealed class StressLog(NodeUnderTest node)
{
    public const string Stays = "stays";
    public const string ComesAndGoes = "comes-and-goes";
    public const int Partitions = 4;
    private const int LargestValue = 30_000;
    private readonly ConcurrentDictionary<int, (int Partition, long Offset)> _acknowledged = new();
    private int _records;

    public async Task CreateAsync()
    {
        Assert.Equal(ErrorCode.None, await CreateAsync(Stays));
        await CreateAsync(ComesAndGoes);
    }

    /// <summary>Deletes a topic under its producers and creates it again.</summary>
    public async Task ComeAndGoAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            var deleted = await node.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
                new() { TopicNames = [ComesAndGoes], TimeoutMs = 60_000 }, version: 3);
            Assert.Equal(ErrorCode.None, (ErrorCode)deleted.Responses[0].ErrorCode);
            Assert.Equal(ErrorCode.None, await CreateAsync(ComesAndGoes));
        }
    }

    /// <summary>A batch of records that were never sent before.</summary>
    public (int[] Records, byte[] Bytes) NewBatch(int partition, Random random, CompressionCodec codec)
    {
        var builder = new RecordBatchBuilder { Codec = codec };
        var records = new int[random.Next(1, 4)];
        for (var i = 0; i < records.Length; i++)
        {
            records[i] = Interlocked.Increment(ref _records);
            builder.Append(1_900_000_000_000, (byte[]?)null, Value(partition, records[i]));
        }

        return (records, builder.Build());
    }

    public void Acknowledged(int partition, long baseOffset, int[] records)
    {
        for (var i = 0; i < records.Length; i++)
        {
            Assert.True(_acknowledged.TryAdd(records[i], (partition, baseOffset + i)));
        }
    }

    /// <summary>Reads one partition from an offset, compares every byte, and returns the records that were there.</summary>
    public async Task<List<(long Offset, int Record)>> ReadAsync(string topic, int partition, long offset)
    {
        var response = await node.CallAsync<FetchRequest, FetchResponse>(
            new()
            {
                MaxWaitMs = 0,
                MaxBytes = 1 << 20,
                Topics = [new() { Topic = topic, Partitions = [new() { Partition = partition, FetchOffset = offset, PartitionMaxBytes = 200_000 }] }],
            },
            version: 11);
        List<(long, int)> found = [];
        if (response.Responses[0].Partitions[0] is not { ErrorCode: 0, Records: { } bytes })
        {
            return found;
        }

        foreach (var batch in RecordBatch.Split(bytes.ToArray()))
        {
            Assert.True(batch.IsIntact);
            foreach (var record in batch.ReadRecords(1 << 20).Where(record => record.Offset >= offset))
            {
                var (tag, number) = RecordValue.Read(record.Value!.Value.Span);
                Assert.Equal(partition, tag);
                Assert.True(
                    record.Value.Value.Span.SequenceEqual(Value(partition, number)),
                    $"record {number} at {record.Offset} of {topic}-{partition} is not what was sent");
                found.Add((record.Offset, number));
            }
        }

        return found;
    }

    /// <summary>Everything that was acknowledged is where it was said to be, and nothing is anywhere twice.</summary>
    public async Task AuditAsync()
    {
        Dictionary<int, (int Partition, long Offset)> stored = [];
        for (var partition = 0; partition < Partitions; partition++)
        {
            var next = 0L;
            while (await ReadAsync(Stays, partition, next) is { Count: > 0 } found)
            {
                foreach (var (offset, record) in found)
                {
                    Assert.Equal(next++, offset);
                    Assert.True(stored.TryAdd(record, (partition, offset)), $"record {record} is there twice");
                }
            }
        }

        Assert.NotEmpty(_acknowledged);
        Assert.All(_acknowledged, record => Assert.Equal(record.Value, stored.GetValueOrDefault(record.Key, (-1, -1))));
    }

    private static byte[] Value(int partition, int record) =>
        RecordValue.Of(partition, record, RecordValue.HeadBytes + (int)((uint)record * 2654435761u >> 8) % LargestValue);

    private async Task<ErrorCode> CreateAsync(string topic)
    {
        var created = await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                TimeoutMs = 60_000,
                Topics =
                [
                    new()
                    {
                        Name = topic,
                        NumPartitions = Partitions,
                        ReplicationFactor = 1,
                        Configs =
                        [
                            new() { Name = "retention.ms", Value = "-1" },
                            new() { Name = "message.timestamp.after.max.ms", Value = $"{long.MaxValue}" },
                        ],
                    },
                ],
            },
            version: 5);
        return (ErrorCode)created.Topics[0].ErrorCode;
    }
}
