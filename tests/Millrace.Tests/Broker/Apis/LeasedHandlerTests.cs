using Millrace.Cluster.Liveness;
using Millrace.Metadata.Channel;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Tests.Broker.Partitions;
using Millrace.Tests.Network.Requests;
using Xunit;

namespace Millrace.Tests.Broker.Apis;

/// <summary>What clients are told by a broker that may not answer reads, and that it answers as soon as it may.</summary>
public sealed class LeasedHandlerTests : IAsyncLifetime
{
    private PartitionsUnderTest? _broker;
    private ReadLease? _lease;
    private RestrictedClient? _client;

    public async ValueTask InitializeAsync()
    {
        _broker = await PartitionsUnderTest.StartWithTopicAsync();
        _lease = new ReadLease(_broker.Runtime.Time, new NodeIncarnation(new NodeId(1), new NodeEpoch(1)));
        _client = new RestrictedClient(_broker, new StepsUnderTest().Steps, _lease);
    }

    public async ValueTask DisposeAsync() => await _broker!.DisposeAsync();

    [Theory]
    [InlineData(12)]
    [InlineData(13)]
    public async Task A_fetch_without_a_lease_is_refused_so_that_its_client_asks_anew_who_leads(short version)
    {
        var fetched = await FetchAsync(version, maxWaitMs: 1);

        Assert.Equal((short)ErrorCode.None, fetched.ErrorCode);
        var partition = Assert.Single(Assert.Single(fetched.Responses).Partitions);
        Assert.Equal((short)ErrorCode.NotLeaderOrFollower, partition.ErrorCode);
        Assert.Equal(-1, partition.HighWatermark);
    }

    [Fact]
    public async Task A_read_that_waits_for_a_lease_is_answered_when_it_comes()
    {
        var fetching = FetchAsync(version: 12, maxWaitMs: 30_000, minBytes: 0);
        var listing = _client!.AskAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Timestamp = -1, CurrentLeaderEpoch = -1 }] }] }, version: 9);

        _lease!.Extend(long.MaxValue);

        Assert.Equal((short)ErrorCode.None, (await fetching).Responses[0].Partitions[0].ErrorCode);
        Assert.Equal((short)ErrorCode.None, (await listing).Topics[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task Every_api_that_answers_from_what_a_broker_holds_answers_under_its_lease()
    {
        var lease = new AskedLease();
        var client = new RestrictedClient(_broker!, new StepsUnderTest().Steps, lease);
        List<ApiKey> leased = [];

        await AskAsync<FetchRequest, FetchResponse>(new() { Topics = [] }, version: 12);
        await AskAsync<ListOffsetsRequest, ListOffsetsResponse>(new(), version: 9);
        await AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(new(), version: 4);
        await AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(new(), version: 2);
        await AskAsync<OffsetFetchRequest, OffsetFetchResponse>(new() { Groups = [new() { GroupId = "g" }] }, version: 8);
        await AskAsync<HeartbeatRequest, HeartbeatResponse>(new() { GroupId = "g" }, version: 4);
        await AskAsync<SyncGroupRequest, SyncGroupResponse>(new() { GroupId = "g" }, version: 5);
        await AskAsync<DescribeGroupsRequest, DescribeGroupsResponse>(new() { Groups = ["g"] }, version: 5);
        await AskAsync<ListGroupsRequest, ListGroupsResponse>(new(), version: 4);

        // These change what is there, for which seals answer, or tell what the metadata log says.
        await AskAsync<JoinGroupRequest, JoinGroupResponse>(new() { GroupId = "g", ProtocolType = "consumer" }, version: 6);
        await AskAsync<OffsetCommitRequest, OffsetCommitResponse>(new() { GroupId = "g" }, version: 8);
        await AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [] }, version: 12);

        Assert.Equal(
            [
                ApiKey.Fetch, ApiKey.ListOffsets, ApiKey.OffsetForLeaderEpoch, ApiKey.DeleteRecords, ApiKey.OffsetFetch, ApiKey.Heartbeat, ApiKey.SyncGroup,
                ApiKey.DescribeGroups, ApiKey.ListGroups,
            ],
            leased);

        async Task AskAsync<TRequest, TResponse>(TRequest request, short version)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            lease.WasAsked = false;
            await client.AskAsync<TRequest, TResponse>(request, version);
            if (lease.WasAsked)
            {
                leased.Add(TRequest.ApiKey);
            }
        }
    }

    private Task<FetchResponse> FetchAsync(short version, int maxWaitMs, int minBytes = 1) => _client!.AskAsync<FetchRequest, FetchResponse>(
        new()
        {
            MaxWaitMs = maxWaitMs,
            MinBytes = minBytes,
            MaxBytes = 1 << 20,
            Topics =
            [
                new()
                {
                    Topic = "t", TopicId = _broker!.Feed.Image.Topics.Values.First().Id,
                    Partitions = [new() { Partition = 0, PartitionMaxBytes = 1 << 20 }],
                },
            ],
        },
        version);

    /// <summary>Lets everything pass, and remembers that it was asked.</summary>
    private sealed class AskedLease : IReadLease
    {
        public bool WasAsked { get; set; }

        public bool IsHeld => WasAsked = true;

        public ValueTask<bool> WaitAsync(TimeSpan patience, CancellationToken token) => ValueTask.FromResult(true);
    }
}
