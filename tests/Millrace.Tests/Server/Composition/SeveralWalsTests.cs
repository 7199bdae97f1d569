using System.Buffers;
using Millrace.Metadata.Configs;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Streams;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>A node with a WAL in a file, its default, and one in the store; and topics that change from one to the other.</summary>
public sealed class SeveralWalsTests : IAsyncDisposable
{
    private const short ProduceVersion = 9;
    private const short FetchVersion = 12;
    private readonly MemoryObjectStorage _storage = new();
    private readonly TemporaryDirectory _folder = new();

    private string Wals => $"file://{_folder.Path}?capacity=8MiB,object";

    [Fact]
    public async Task What_was_acknowledged_before_and_after_a_topic_changed_its_WAL_is_there_after_a_crash()
    {
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wals))
        {
            await CreateAsync(node, "changes");
            await CreateAsync(node, "stays");
            await ProduceAsync(node, "changes", "a");
            await ProduceAsync(node, "stays", "1");

            await ChooseAsync(node, "changes", "object");
            Assert.Equal((WalKind.Object, null), (LiesIn(node, "changes"), LiesIn(node, "stays")));
            await ProduceAsync(node, "changes", "b");
            await ProduceAsync(node, "stays", "2");
            Assert.Equal(["0:a", "1:b"], await ReadAsync(node, "changes"));
        }

        await using (var node = await NodeUnderTest.StartAsync(_storage, Wals))
        {
            Assert.Equal(["0:a", "1:b"], await ReadAsync(node, "changes"));
            Assert.Equal(["0:1", "1:2"], await ReadAsync(node, "stays"));
            Assert.Equal((WalKind.Object, null), (LiesIn(node, "changes"), LiesIn(node, "stays")));

            await ChooseAsync(node, "changes", "default");
            Assert.Null(LiesIn(node, "changes"));
            await ProduceAsync(node, "changes", "c");
        }

        await using var last = await NodeUnderTest.StartAsync(_storage, Wals);
        Assert.Equal(["0:a", "1:b", "2:c"], await ReadAsync(last, "changes"));
        Assert.Equal(["0:1", "1:2"], await ReadAsync(last, "stays"));
    }

    [Fact]
    public async Task One_that_stops_in_good_order_leaves_neither()
    {
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wals))
        {
            await CreateAsync(node, "t");
            await ProduceAsync(node, "t", "a");
            await ChooseAsync(node, "t", "object");
            await ProduceAsync(node, "t", "b");
            Assert.True(await node.Host.StopAsync());
        }

        Assert.Equal(["spare.wal"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
        await using var next = await NodeUnderTest.StartAsync(_storage, Wals);
        Assert.Equal(["0:a", "1:b"], await ReadAsync(next, "t"));
        Assert.Equal(
            [(next.Node.Self.Epoch, true), (next.Node.Self.Epoch, false)],
            next.Node.Metadata.Image.Wals.Values.Select(wal => (wal.Epoch, wal.IsAdditional)).OrderByDescending(wal => wal.IsAdditional));
    }

    public async ValueTask DisposeAsync()
    {
        await _storage.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task CreateAsync(NodeUnderTest node, string topic)
    {
        var created = await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new CreateTopicsRequest { Topics = [new() { Name = topic, NumPartitions = 1, ReplicationFactor = 1 }], TimeoutMs = 30_000 }, 5);
        Assert.Equal((short)ErrorCode.None, Assert.Single(created.Topics).ErrorCode);
    }

    /// <summary>Returns when the topic lies there: it is led at a higher epoch.</summary>
    private static async Task ChooseAsync(NodeUnderTest node, string topic, string wal)
    {
        var before = LeaderEpoch(node, topic);
        var altered = await node.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new IncrementalAlterConfigsRequest
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = (sbyte)ConfigResourceType.Topic,
                        ResourceName = topic,
                        Configs = [new() { Name = TopicConfigs.Wal, ConfigOperation = (sbyte)ConfigOperation.Set, Value = wal }],
                    },
                ],
            },
            1);
        Assert.Equal((short)ErrorCode.None, Assert.Single(altered.Responses).ErrorCode);
        Assert.True(await Eventually.BecomesTrueAsync(() => LeaderEpoch(node, topic) == before + 1));
    }

    private static int LeaderEpoch(NodeUnderTest node, string topic) => node.Node.Metadata.Image.Topics[topic].Partitions[0].LeaderEpoch;

    private static WalKind? LiesIn(NodeUnderTest node, string topic) =>
        node.Controller.State.Streams.Streams[node.Node.Metadata.Image.Topics[topic].Partitions[0].Stream].OpenRange!.Value.Wal;

    private static async Task ProduceAsync(NodeUnderTest node, string topic, string value)
    {
        var records = new ReadOnlySequence<byte>(Batches.Of(value));
        var produced = await node.CallAsync<ProduceRequest, ProduceResponse>(
            new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = 30_000,
                TopicData = [new() { Name = topic, PartitionData = [new() { Index = 0, Records = records }] }],
            },
            ProduceVersion);
        Assert.Equal((short)ErrorCode.None, produced.Responses[0].PartitionResponses[0].ErrorCode);
    }

    /// <summary>All of it, however it comes: what lies in objects and what is in memory come one after the other.</summary>
    private static async Task<List<string>> ReadAsync(NodeUnderTest node, string topic)
    {
        var read = new List<string>();
        while (true)
        {
            var fetched = await node.CallAsync<FetchRequest, FetchResponse>(
                new FetchRequest
                {
                    MaxBytes = 1 << 20,
                    Topics =
                    [
                        new() { Topic = topic, Partitions = [new() { Partition = 0, FetchOffset = read.Count, PartitionMaxBytes = 1 << 20 }] },
                    ],
                },
                FetchVersion);
            var partition = fetched.Responses[0].Partitions[0];
            Assert.Equal((short)ErrorCode.None, partition.ErrorCode);
            if (read.Count == partition.HighWatermark)
            {
                return read;
            }

            read.AddRange(Batches.Read(partition.Records));
        }
    }
}
