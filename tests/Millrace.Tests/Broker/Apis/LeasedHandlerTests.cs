using Millrace.Cluster.Liveness;
using Millrace.Protocol;
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
        Assert.False(fetching.IsCompleted || listing.IsCompleted);

        _lease!.Extend(long.MaxValue);

        Assert.Equal((short)ErrorCode.None, (await fetching).Responses[0].Partitions[0].ErrorCode);
        Assert.Equal((short)ErrorCode.None, (await listing).Topics[0].Partitions[0].ErrorCode);
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
}
