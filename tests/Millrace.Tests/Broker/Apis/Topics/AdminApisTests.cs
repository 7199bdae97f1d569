using Millrace.Broker.Apis.Cluster;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Server;
using Millrace.Tests.ObjectStorage;
using Millrace.Tests.Server.Composition;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Topics;

/// <summary>What administrators' tools ask for, of a whole node.</summary>
public sealed class AdminApisTests : IAsyncDisposable
{
    private readonly MemoryObjectStorage _storage = new();

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    [Fact]
    public async Task Topics_are_described_a_page_at_a_time()
    {
        await using var node = await StartAsync();
        await CreateAsync(node, "a", 3);
        await CreateAsync(node, "b", 2);

        var described = new List<(string?, int)>();
        DescribeTopicPartitionsRequest.CursorData? cursor = null;
        do
        {
            var page = await node.CallAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
                new() { ResponsePartitionLimit = 2, Cursor = cursor }, 0);
            described.AddRange(page.Topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex))));
            Assert.True(page.Topics.Sum(topic => topic.Partitions.Count) <= 2);
            cursor = page.NextCursor is { } next ? new() { TopicName = next.TopicName, PartitionIndex = next.PartitionIndex } : null;
        }
        while (cursor is not null);

        Assert.Equal([("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)], described);
    }

    [Fact]
    public async Task A_cursor_that_points_nowhere_is_refused()
    {
        await using var node = await StartAsync();
        await CreateAsync(node, "a", 1);

        foreach (var cursor in new DescribeTopicPartitionsRequest.CursorData[] { new() { TopicName = "a", PartitionIndex = -1 }, new() { TopicName = "b" } })
        {
            var page = await node.CallAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
                new() { Topics = [new() { Name = "a" }], Cursor = cursor }, 0);
            Assert.Equal(ErrorCode.InvalidRequest, (ErrorCode)Assert.Single(page.Topics).ErrorCode);
        }
    }

    [Fact]
    public async Task Sizes_of_partitions_are_shown_for_all_or_for_those_named()
    {
        await using var node = await StartAsync();
        await CreateAsync(node, "a", 2);
        await CreateAsync(node, "b", 1);

        var all = await node.CallAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(new() { Topics = null }, 4);
        var named = await node.CallAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(
            new() { Topics = [new() { Topic = "a", Partitions = [1, 7] }, new() { Topic = "absent", Partitions = [0] }] }, 1);

        Assert.Equal(DescribeLogDirsHandler.Directory, Assert.Single(all.Results).LogDir);
        Assert.Equal([("a", 2), ("b", 1)], all.Results[0].Topics.Select(topic => (topic.Name, topic.Partitions.Count)));
        Assert.Equal((-1L, -1L), (all.Results[0].TotalBytes, all.Results[0].UsableBytes));
        Assert.Equal(1, Assert.Single(Assert.Single(named.Results[0].Topics).Partitions).PartitionIndex);
    }

    [Fact]
    public async Task A_store_that_does_not_work_is_a_directory_with_an_error_and_a_full_one_has_no_room()
    {
        await using var storage = new AdjustedObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "object");
        await CreateAsync(node, "a", 1);

        var seen = new List<(ErrorCode, long, int)>();
        foreach (var trouble in new StoreTrouble?[] { null, new(IsFull: false, "away"), new(IsFull: true, "full") })
        {
            storage.Trouble = trouble;
            var directory = Assert.Single((await node.CallAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(new() { Topics = null }, 4)).Results);
            seen.Add(((ErrorCode)directory.ErrorCode, directory.UsableBytes, directory.Topics.Count));
        }

        Assert.Equal([(ErrorCode.None, -1, 1), (ErrorCode.KafkaStorageError, -1, 1), (ErrorCode.KafkaStorageError, 0, 1)], seen);
    }

    [Fact]
    public async Task The_owner_of_the_metadata_log_is_the_one_voter()
    {
        await using var node = await StartAsync(("node.id", "7"));

        var quorum = await node.CallAsync<DescribeQuorumRequest, DescribeQuorumResponse>(
            new() { Topics = [new() { TopicName = "__cluster_metadata", Partitions = [new() { PartitionIndex = 0 }] }] }, 2);

        var partition = Assert.Single(Assert.Single(quorum.Topics).Partitions);
        Assert.Equal((7, 7), (partition.LeaderId, Assert.Single(partition.CurrentVoters).ReplicaId));
        Assert.True(partition.HighWatermark > 0);
        Assert.Equal(7, Assert.Single(quorum.Nodes).NodeId);
    }

    [Fact]
    public async Task What_configs_can_be_set_on_is_listed_by_type()
    {
        await using var node = await StartAsync();
        await CreateAsync(node, "a", 1);

        var all = await node.CallAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(new(), 1);
        var old = await node.CallAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(new(), 0);
        var unknown = await node.CallAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(new() { ResourceTypes = [3] }, 1);

        Assert.Equal(
            [("a", (sbyte)2), ("0", (sbyte)4), ("0", (sbyte)8)],
            all.ConfigResources.Select(resource => (resource.ResourceName, resource.ResourceType)));
        Assert.Empty(old.ConfigResources);
        Assert.Equal(ErrorCode.UnsupportedVersion, (ErrorCode)unknown.ErrorCode);
    }

    [Fact]
    public async Task Configs_are_replaced()
    {
        await using var node = await StartAsync();
        await CreateAsync(node, "a", 1);
        for (short version = 0; version <= 2; version++)
        {
            var altered = await node.CallAsync<AlterConfigsRequest, AlterConfigsResponse>(
                new() { Resources = [new() { ResourceType = 2, ResourceName = "a", Configs = [new() { Name = "flush.ms", Value = $"{version}" }] }] }, version);
            Assert.Equal(ErrorCode.None, (ErrorCode)Assert.Single(altered.Responses).ErrorCode);
        }

        Assert.Equal([KeyValuePair.Create("flush.ms", "2")], node.Node.Metadata.Image.Topics["a"].Configs);
    }

    [Fact]
    public async Task The_offsets_topic_is_shown_without_absent_replicas_and_cannot_grow_or_go()
    {
        await using var node = await StartAsync();
        await node.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 3);

        var grown = await node.CallAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { TimeoutMs = 30_000, Topics = [new() { Name = InternalTopics.ConsumerOffsets, Count = 60, Assignments = null }] }, 3);
        var deleted = await node.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(
            new() { TimeoutMs = 30_000, TopicNames = [InternalTopics.ConsumerOffsets] }, 5);
        using var tool = await node.ConnectAsync();
        await tool.SendAsync(
            new ProduceRequest
            {
                Acks = -1,
                TimeoutMs = 1_000,
                TopicData = [new() { Name = InternalTopics.ConsumerOffsets, PartitionData = [new() { Index = 0 }] }],
            },
            version: 9, correlationId: 1, clientId: "__admin_client");
        var produced = (await tool.ReceiveAsync<ProduceResponse>(9)).Response;
        var described = await node.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = InternalTopics.ConsumerOffsets }] }, 12);

        Assert.Equal(ErrorCode.InvalidTopicException, (ErrorCode)grown.Results[0].ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, (ErrorCode)deleted.Responses[0].ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, (ErrorCode)produced.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal(50, described.Topics[0].Partitions.Count);
        Assert.All(described.Topics[0].Partitions, partition => Assert.Equal(
            "0/0/",
            $"{string.Join(',', partition.ReplicaNodes)}/{string.Join(',', partition.IsrNodes)}/{string.Join(',', partition.OfflineReplicas)}"));
    }

    [Fact]
    public async Task A_long_poll_hears_at_once_that_its_topic_is_deleted()
    {
        await using var node = await StartAsync();
        await CreateAsync(node, "a", 1);
        using var client = await node.ConnectAsync();
        await client.SendAsync(
            new FetchRequest
            {
                ReplicaId = -1,
                MaxWaitMs = 3_600_000,
                MinBytes = 1,
                MaxBytes = 1 << 20,
                SessionEpoch = -1,
                Topics = [new() { Topic = "a", Partitions = [new() { PartitionMaxBytes = 1 << 20 }] }],
            },
            version: 11, correlationId: 1);
        await node.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TimeoutMs = 30_000, TopicNames = ["a"] }, 5);

        var fetched = (await client.ReceiveAsync<FetchResponse>(11)).Response;

        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)fetched.Responses[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task A_node_keeps_the_id_that_it_was_given()
    {
        await using (await StartAsync(("node.id", "7")))
        {
        }

        await using (var next = await StartAsync())
        {
            Assert.Equal(7, next.Node.Self.Node.Value);
        }

        var refused = await Assert.ThrowsAsync<NodeStartException>(() => StartAsync(("broker.id", "8")));
        Assert.Contains("node.id=7", refused.Message, StringComparison.Ordinal);
    }

    private static Task<CreateTopicsResponse> CreateAsync(NodeUnderTest node, string name, int partitions) =>
        node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { TimeoutMs = 30_000, Topics = [new() { Name = name, NumPartitions = partitions, ReplicationFactor = 3 }] }, 7);

    private Task<NodeUnderTest> StartAsync(params (string Key, string Value)[] settings) => NodeUnderTest.StartAsync(_storage, "object", settings);
}
