using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Tests.Broker.Partitions;
using Millrace.Tests.Network.Requests;
using Xunit;

namespace Millrace.Tests.Broker.Apis;

/// <summary>What clients are told of what they may not do, in Kafka's codes, and of pauses.</summary>
public sealed class RefusedRequestTests : IAsyncLifetime
{
    private const int PauseMs = 250;

    private readonly StepsUnderTest _steps = new() { Pause = _ => TimeSpan.FromMilliseconds(PauseMs) };
    private PartitionsUnderTest? _broker;
    private RestrictedClient? _client;

    public async ValueTask InitializeAsync()
    {
        _broker = await PartitionsUnderTest.StartWithTopicAsync();
        await _broker.AddTopicAsync("secret");
        _client = new RestrictedClient(_broker, _steps.Steps);
        _steps.Forbidden = (_, kind, name) => kind == ResourceKind.Cluster || name == "secret";
    }

    public async ValueTask DisposeAsync() => await _broker!.DisposeAsync();

    [Theory]
    [InlineData("secret", ErrorCode.TopicAuthorizationFailed)]
    [InlineData("t", ErrorCode.None)]
    public async Task Records_are_written_and_read_by_those_who_may(string topic, ErrorCode expected)
    {
        var produced = await AskAsync<ProduceRequest, ProduceResponse>(
            new()
            {
                Acks = -1,
                TimeoutMs = 30_000,
                TopicData = [new() { Name = topic, PartitionData = [new() { Index = 0, Records = new(Batches.Of("a")) }] }],
            },
            version: 9);
        var fetched = await AskAsync<FetchRequest, FetchResponse>(
            new()
            {
                MaxWaitMs = 0,
                MaxBytes = 1 << 20,
                Topics = [new() { Topic = topic, Partitions = [new() { Partition = 0, PartitionMaxBytes = 1 << 20 }] }],
            },
            version: 12);
        var listed = await AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, Timestamp = -1, CurrentLeaderEpoch = -1 }] }] }, version: 9);

        Assert.Equal((short)expected, produced.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal((short)expected, fetched.Responses[0].Partitions[0].ErrorCode);
        Assert.Equal((short)expected, listed.Topics[0].Partitions[0].ErrorCode);
        Assert.Equal(expected == ErrorCode.None ? 1 : 0, (await _broker!.OpenAsync("t")).HighWatermark);
        Assert.Equal(0, (await _broker.OpenAsync("secret")).HighWatermark);
    }

    [Fact]
    public async Task A_topic_that_may_not_be_seen_is_refused_by_name_and_by_id_and_left_out_of_lists()
    {
        var id = _broker!.Feed.Image.Topics["secret"].Id;
        var named = await AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "secret" }] }, version: 12);
        var byId = await AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = null, TopicId = id }] }, version: 12);
        var byBoth = await AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "t", TopicId = id }] }, version: 12);
        var all = await AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = null }, version: 12);
        var page = await AskAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(new() { ResponsePartitionLimit = 10 }, version: 0);

        Assert.Equal((short)ErrorCode.TopicAuthorizationFailed, named.Topics[0].ErrorCode);
        Assert.Equal((short)ErrorCode.TopicAuthorizationFailed, byId.Topics[0].ErrorCode);
        Assert.Equal((short)ErrorCode.TopicAuthorizationFailed, byBoth.Topics[0].ErrorCode);
        Assert.Equal(["t"], all.Topics.Select(topic => topic.Name!));
        Assert.Equal(["t"], page.Topics.Select(topic => topic.Name!));
    }

    [Fact]
    public async Task A_topic_is_not_created_by_asking_for_it_where_it_may_not_be_created()
    {
        _steps.Forbidden = (operation, _, _) => operation == Operation.Create;

        var answer = await AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "new" }], AllowAutoTopicCreation = true }, version: 12);

        Assert.Equal((short)ErrorCode.UnknownTopicOrPartition, answer.Topics[0].ErrorCode);
    }

    [Fact]
    public async Task Groups_are_closed_to_those_who_may_not_read_them_or_their_topics()
    {
        var joined = await AskAsync<JoinGroupRequest, JoinGroupResponse>(new() { GroupId = "secret", ProtocolType = "consumer" }, version: 6);
        var found = await AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { KeyType = 0, CoordinatorKeys = ["secret"] }, version: 4);
        var fetched = await AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { Groups = [new() { GroupId = "secret", Topics = null }] }, version: 8);
        var committed = await AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "secret", Partitions = [new() { PartitionIndex = 0 }] }] }, version: 8);

        Assert.Equal((short)ErrorCode.GroupAuthorizationFailed, joined.ErrorCode);
        Assert.Equal((short)ErrorCode.GroupAuthorizationFailed, found.Coordinators[0].ErrorCode);
        Assert.Equal((short)ErrorCode.GroupAuthorizationFailed, fetched.Groups[0].ErrorCode);
        Assert.Equal((short)ErrorCode.TopicAuthorizationFailed, committed.Topics[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task The_cluster_is_changed_by_those_who_may()
    {
        var created = await AskAsync<CreateTopicsRequest, CreateTopicsResponse>(new() { Topics = [new() { Name = "secret" }] }, version: 7);
        var deleted = await AskAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TopicNames = ["secret"] }, version: 5);
        var described = await AskAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = (sbyte)ConfigResourceType.Broker, ResourceName = "1" }] }, version: 4);
        var initialized = await AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = null, ProducerId = -1, ProducerEpoch = -1 }, version: 4);

        var removed = await AskAsync<UnregisterBrokerRequest, UnregisterBrokerResponse>(new() { BrokerId = 1 }, version: 0);
        var nodes = await _client!.AskAsync<DescribeNodesRequest, DescribeNodesResponse>(new(), version: 0);
        var moves = await _client!.AskAsync<DescribeMovesRequest, DescribeMovesResponse>(new(), version: 0);
        var load = await _client!.AskAsync<DescribeLoadRequest, DescribeLoadResponse>(new(), version: 0);

        Assert.Equal((short)ErrorCode.ClusterAuthorizationFailed, removed.ErrorCode);
        Assert.Equal((short)ErrorCode.ClusterAuthorizationFailed, load.ErrorCode);
        Assert.Equal(((short)ErrorCode.ClusterAuthorizationFailed, 0), (moves.ErrorCode, moves.Moves.Count));
        Assert.Equal(((short)ErrorCode.ClusterAuthorizationFailed, 0), (nodes.ErrorCode, nodes.Nodes.Count));
        Assert.Equal((short)ErrorCode.TopicAuthorizationFailed, created.Topics[0].ErrorCode);
        Assert.Equal((short)ErrorCode.TopicAuthorizationFailed, deleted.Responses[0].ErrorCode);
        Assert.Equal((short)ErrorCode.ClusterAuthorizationFailed, described.Results[0].ErrorCode);
        Assert.Equal((short)ErrorCode.ClusterAuthorizationFailed, initialized.ErrorCode);
    }

    [Fact]
    public async Task Clients_are_told_what_they_may_do()
    {
        _steps.Forbidden = (operation, _, _) => operation is not (Operation.Describe or Operation.Read);

        var answer = await AskAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = "t" }], IncludeTopicAuthorizedOperations = true, IncludeClusterAuthorizedOperations = true }, version: 9);

        Assert.Equal((1 << (int)Operation.Read) | (1 << (int)Operation.Describe), answer.Topics[0].TopicAuthorizedOperations);
        Assert.Equal(1 << (int)Operation.Describe, answer.ClusterAuthorizedOperations);
    }

    /// <summary>Asks, and sees that the answer tells of the pause, whatever else it says.</summary>
    private async Task<TResponse> AskAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>, IThrottledResponse
    {
        var response = await _client!.AskAsync<TRequest, TResponse>(request, version);
        Assert.Equal(PauseMs, response.ThrottleTimeMs);
        return response;
    }
}
