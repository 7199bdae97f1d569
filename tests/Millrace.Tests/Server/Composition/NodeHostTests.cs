using System.Buffers;
using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Server;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Server.Composition;

public sealed class NodeHostTests
{
    [Fact]
    public async Task A_node_forms_a_cluster_and_serves_topics()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");

        var created = await CreateAsync(node, "orders", partitions: 3);
        var metadata = await DescribeAsync(node, "orders");

        var topic = Assert.Single(metadata.Topics);
        Assert.Equal((created.TopicId, "orders", (short)ErrorCode.None), (topic.TopicId, topic.Name, topic.ErrorCode));
        Assert.Equal([0, 1, 2], topic.Partitions.Select(partition => partition.PartitionIndex));
        Assert.All(topic.Partitions, partition => Assert.Equal(metadata.ControllerId, partition.LeaderId));
        Assert.Equal(22, metadata.ClusterId!.Length);
        Assert.Equal("127.0.0.1", Assert.Single(metadata.Brokers).Host);
    }

    [Fact]
    public async Task An_unknown_topic_is_created_while_its_first_answer_asks_to_come_again()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:", ("num.partitions", "2"));

        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, Assert.Single((await DescribeAsync(node, "new", create: true)).Topics).ErrorCode);

        Assert.Equal(2, Assert.Single((await DescribeAsync(node, "new")).Topics).Partitions.Count);
        Assert.Equal((short)ErrorCode.InvalidTopicException, Assert.Single((await DescribeAsync(node, "no such/name", create: true)).Topics).ErrorCode);
    }

    [Theory]
    [InlineData(10, ErrorCode.InvalidRequest, "")]
    [InlineData(12, ErrorCode.UnknownTopicId, null)]
    public async Task A_topic_that_is_asked_for_by_an_id_is_refused_in_a_form_that_the_version_has(short version, ErrorCode expected, string? name)
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");

        var metadata = await node.CallAsync<MetadataRequest, MetadataResponse>(
            new MetadataRequest { Topics = [new() { Name = null, TopicId = new Guid(1, 2, 3, new byte[8]) }] }, version);

        var topic = Assert.Single(metadata.Topics);
        Assert.Equal(((short)expected, name), (topic.ErrorCode, topic.Name));
    }

    [Fact]
    public async Task Deleting_a_topic_whose_records_are_not_uploaded_yet_is_nothing_to_warn_of()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");
        await CreateAsync(node, "short-lived", partitions: 1);
        var produced = await node.CallAsync<ProduceRequest, ProduceResponse>(
            new ProduceRequest
            {
                Acks = 1,
                TimeoutMs = 30_000,
                TopicData = [new() { Name = "short-lived", PartitionData = [new() { Index = 0, Records = new ReadOnlySequence<byte>(Batches.Of("a")) }] }],
            },
            9);
        Assert.Equal((short)ErrorCode.None, produced.Responses[0].PartitionResponses[0].ErrorCode);

        await node.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new DeleteTopicsRequest { TopicNames = ["short-lived"], TimeoutMs = 10_000 }, 5);
        Assert.True(await node.Host.StopAsync());

        var ends = node.Log.Lines.Where(line => line.Message.StartsWith("Partition short-lived", StringComparison.Ordinal)).ToArray();
        // The deletion is told, and not what it means for each partition.
        Assert.All(ends, line => Assert.True(line is { Level: LogLevel.Debug, Exception: null }, line.ToString()));
        Assert.Single(node.Log.Saying("has been deleted"));
    }

    [Theory]
    [InlineData(false, "true")]
    [InlineData(true, "false")]
    public async Task Topics_are_created_only_if_both_client_and_broker_want_it(bool clientWants, string brokerAllows)
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:", ("auto.create.topics.enable", brokerAllows));
        await DescribeAsync(node, "new", clientWants);

        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, Assert.Single((await DescribeAsync(node, "new")).Topics).ErrorCode);
    }

    [Fact]
    public async Task Everything_is_there_after_a_clean_stop_and_a_start_elsewhere()
    {
        await using var storage = new MemoryObjectStorage();
        Guid id;
        string? cluster;
        int epoch;
        await using (var node = await NodeUnderTest.StartAsync(storage, "memory:"))
        {
            id = (await CreateAsync(node, "orders", partitions: 1)).TopicId;
            var before = await DescribeAsync(node, "orders");
            (cluster, epoch) = (before.ClusterId, before.Topics[0].Partitions[0].LeaderEpoch);
            Assert.True(await node.Host.StopAsync());
        }

        await using var next = await NodeUnderTest.StartAsync(storage, "memory:");
        var metadata = await DescribeAsync(next, "orders");

        Assert.Equal(cluster, metadata.ClusterId);
        Assert.Equal(id, metadata.Topics[0].TopicId);
        Assert.Equal((short)ErrorCode.None, metadata.Topics[0].Partitions[0].ErrorCode);
        Assert.True(metadata.Topics[0].Partitions[0].LeaderEpoch > epoch);
    }

    [Fact]
    public async Task A_second_start_by_the_name_of_a_living_broker_is_refused()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");

        var refusal = await Assert.ThrowsAsync<NodeStartException>(() => NodeUnderTest.StartAsync(storage, "memory:"));

        Assert.Contains($"{node.Host.Address}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("alive", refusal.Message, StringComparison.Ordinal);
        Assert.Single((await DescribeAsync(node, "x")).Brokers);
    }

    [Fact]
    public async Task A_start_without_the_former_WAL_serves_nothing_that_may_be_incomplete()
    {
        await using var storage = new MemoryObjectStorage();
        await using (var node = await NodeUnderTest.StartAsync(storage, "memory:"))
        {
            await CreateAsync(node, "orders", partitions: 1);
            // The partition opens with its first request; only then may the WAL hold something of it.
            await node.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
                new()
                {
                    ReplicaId = -1,
                    Topics = [new() { Name = "orders", Partitions = [new() { PartitionIndex = 0, Timestamp = -1, CurrentLeaderEpoch = -1 }] }],
                },
                version: 5);
        }

        await using (var next = await NodeUnderTest.StartAsync(storage, "memory:"))
        {
            Assert.Equal((short)ErrorCode.LeaderNotAvailable, (await DescribeAsync(next, "orders")).Topics[0].Partitions[0].ErrorCode);
            await CreateAsync(next, "other", partitions: 1);
            Assert.Equal((short)ErrorCode.None, (await DescribeAsync(next, "other")).Topics[0].Partitions[0].ErrorCode);
        }
    }

    [Fact]
    public async Task Configs_are_described_with_their_sources()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:", ("log.retention.hours", "1"), ("broker.rack", "r1"));
        await CreateAsync(node, "orders", partitions: 1);
        await node.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new()
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = 2,
                        ResourceName = "orders",
                        Configs = [new() { Name = "cleanup.policy", ConfigOperation = 0, Value = "compact" }],
                    },
                ],
            },
            version: 1);

        var response = await node.CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new()
            {
                IncludeSynonyms = true,
                Resources =
                [
                    new() { ResourceType = 2, ResourceName = "orders", ConfigurationKeys = ["cleanup.policy", "retention.ms"] },
                    new() { ResourceType = 4, ResourceName = $"{node.Node.Self.Node}", ConfigurationKeys = ["broker.rack"] },
                    new() { ResourceType = 2, ResourceName = "absent" },
                    new() { ResourceType = 4, ResourceName = "77" },
                    new() { ResourceType = 8, ResourceName = "1" },
                ],
            },
            version: 4);

        Assert.Equal(
            [("cleanup.policy", "compact", 1), ("retention.ms", "3600000", 4)],
            response.Results[0].Configs.Select(config => (config.Name, config.Value, (int)config.ConfigSource)));
        Assert.Equal([("broker.rack", "r1", true)], response.Results[1].Configs.Select(config => (config.Name, config.Value, config.ReadOnly)));
        Assert.Equal(
            [ErrorCode.UnknownTopicOrPartition, ErrorCode.InvalidRequest, ErrorCode.InvalidRequest],
            response.Results.Skip(2).Select(result => (ErrorCode)result.ErrorCode));
    }

    private static async Task<CreateTopicsResponse.CreatableTopicResult> CreateAsync(NodeUnderTest node, string name, int partitions)
    {
        var response = await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { Topics = [new() { Name = name, NumPartitions = partitions, ReplicationFactor = 1 }], TimeoutMs = 30_000 }, version: 7);
        var topic = Assert.Single(response.Topics);
        Assert.Equal(ErrorCode.None, (ErrorCode)topic.ErrorCode);
        return topic;
    }

    private static Task<MetadataResponse> DescribeAsync(NodeUnderTest node, string topic, bool create = false) =>
        node.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = topic }], AllowAutoTopicCreation = create }, version: 12);
}
