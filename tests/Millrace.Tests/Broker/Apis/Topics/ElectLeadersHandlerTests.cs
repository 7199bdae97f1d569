using Millrace.Broker.Apis.Topics;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Topics;

/// <summary>Elections whose partitions have to be handed over first: what their client is told, and when.</summary>
public sealed class ElectLeadersHandlerTests : IAsyncDisposable
{
    private static readonly (NodeId Self, NodeId Other) Nodes = (PartitionsUnderTest.Self, PartitionsUnderTest.Other);
    private readonly PartitionsUnderTest _broker = PartitionsUnderTest.Start();
    private readonly TaskCompletionSource _opening = new();

    public ValueTask DisposeAsync()
    {
        _opening.SetResult();
        return _broker.DisposeAsync();
    }

    [Fact]
    public async Task One_that_is_not_handed_over_when_the_time_is_up_is_said_to_go_on()
    {
        await PlanAsync();

        // What has begun is waited for for five seconds at least.
        var result = await ElectAsync(timeoutMs: 1);

        Assert.Equal(ErrorCode.RequestTimedOut, (ErrorCode)result.ErrorCode);
        Assert.Equal("Node 1 has not handed it over to node 2 yet, and goes on doing so.", result.ErrorMessage);
    }

    [Theory]
    [InlineData(2, ErrorCode.None)]
    [InlineData(1, ErrorCode.PreferredLeaderNotAvailable)]
    [InlineData(null, ErrorCode.PreferredLeaderNotAvailable)]
    [InlineData(-1, ErrorCode.UnknownTopicOrPartition)]
    public async Task What_has_become_of_it_is_told_when_it_does_not_move_any_more(int? leader, ErrorCode told)
    {
        var topic = await PlanAsync();
        var electing = ElectAsync(timeoutMs: 60_000);
        await Task.Delay(50);
        Assert.False(electing.IsCompleted);

        _broker.Publish(image => leader == -1
            ? PartitionsUnderTest.Without(image, topic)
            : PartitionsUnderTest.With(
                image,
                topic with
                {
                    Partitions =
                    [
                        topic.Partitions[0] with { Leader = leader is { } id ? new NodeId(id) : null, PlannedTo = null, Epoch = new StreamEpoch(2) },
                    ],
                }));

        Assert.Equal(told, (ErrorCode)(await electing.WaitAsync(TimeSpan.FromSeconds(30))).ErrorCode);
    }

    /// <summary>Node 1 leads a partition that is planned to node 2, its first replica; what node 1 itself does about that is not watched.</summary>
    private async Task<TopicImage> PlanAsync()
    {
        var topic = await _broker.MakeTopicAsync();
        topic = topic with { Partitions = [topic.Partitions[0] with { Replicas = [Nodes.Other, Nodes.Self], PlannedTo = Nodes.Other }] };
        _broker.Registry.Before = call => call == "OpenAsync" ? new ValueTask(_opening.Task) : default;
        _broker.Publish(image => PartitionsUnderTest.With(image, topic));
        return topic;
    }

    private async Task<ElectLeadersResponse.PartitionResult> ElectAsync(int timeoutMs)
    {
        using var context = TestContext.Create(43, _broker.Buffers.Rent(1));
        var handler = new ElectLeadersHandler(_broker.Runtime, _broker.Feed, new ControllerDeeds(_broker.Runtime, new Consenting()));
        var response = await handler.HandleAsync(
            context, new ElectLeadersRequest { TimeoutMs = timeoutMs, TopicPartitions = [new() { Topic = "t", Partitions = [0] }] }, default);
        return Assert.Single(Assert.Single(response.ReplicaElectionResults).PartitionResult);
    }

    /// <summary>A controller that plans everything at once.</summary>
    private sealed class Consenting : IControllerChannel
    {
        public ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse> =>
            new((TResponse)(object)new ElectLeadersResponse
            {
                ReplicaElectionResults = [new() { Topic = "t", PartitionResult = [new() { PartitionId = 0 }] }],
            });
    }
}
