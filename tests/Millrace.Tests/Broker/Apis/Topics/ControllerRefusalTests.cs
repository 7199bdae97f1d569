using Millrace.Broker.Apis.Cluster;
using Millrace.Broker.Apis.Groups;
using Millrace.Broker.Apis.Topics;
using Millrace.Broker.Membership;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Topics;

/// <summary>What clients are told while there is no controller to ask, or it has no room, or no time.</summary>
public sealed class ControllerRefusalTests : IAsyncDisposable
{
    private readonly PartitionsUnderTest _broker = PartitionsUnderTest.Start();
    private readonly RefusingController _controller = new();

    public static TheoryData<ControllerError, ErrorCode> Refusals => new()
    {
        { ControllerError.Busy, ErrorCode.RequestTimedOut },
        { ControllerError.ControllerLost, ErrorCode.NotController },
        { ControllerError.Fenced, ErrorCode.NotController },
    };

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Whoever_asks_for_topics_or_configs_is_told_to_ask_again(ControllerError refusal, ErrorCode told)
    {
        _controller.Refusal = new ControllerException(refusal, "not now");

        Assert.Equal(Enumerable.Repeat(told, 6), await AskAllAsync());
    }

    [Theory]
    [InlineData(ControllerError.Busy)]
    [InlineData(ControllerError.ControllerLost)]
    [InlineData(ControllerError.Fenced)]
    public async Task Whoever_looks_for_a_topic_or_coordinator_finds_none_yet(ControllerError refusal)
    {
        _controller.Refusal = new ControllerException(refusal, "not now");
        using var context = TestContext.Create(12, _broker.Buffers.Rent(1));

        var topics = await new MetadataHandler(_broker.Identity, _broker.Feed, new DepartedNodes(TimeProvider.System, _broker.Feed), Deeds)
            .HandleAsync(context, new MetadataRequest { Topics = [new() { Name = "n" }], AllowAutoTopicCreation = true }, default);
        var coordinators = await new FindCoordinatorHandler(_broker.Identity, _broker.Feed, Deeds)
            .HandleAsync(context, new FindCoordinatorRequest { CoordinatorKeys = ["g"] }, default);

        Assert.Equal(2, _controller.Asked);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)topics.Topics[0].ErrorCode);
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, (ErrorCode)coordinators.Coordinators[0].ErrorCode);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("False")]
    public async Task Where_topics_may_not_be_deleted_the_controller_is_not_asked(string setting)
    {
        await using var broker = PartitionsUnderTest.Start(settings: new Dictionary<string, string> { ["delete.topic.enable"] = setting });
        using var context = TestContext.Create(3, broker.Buffers.Rent(1));

        var deleted = await new DeleteTopicsHandler(broker.Identity, broker.Feed, Deeds)
            .HandleAsync(context, new DeleteTopicsRequest { TimeoutMs = 1_000, TopicNames = ["n"] }, default);

        Assert.Equal((0, ErrorCode.TopicDeletionDisabled), (_controller.Asked, (ErrorCode)deleted.Responses[0].ErrorCode));
    }

    [Fact]
    public async Task A_controller_that_takes_too_long_keeps_no_config_change_waiting_for_ever()
    {
        // Its answer comes when nobody waits any more.
        _controller.Refusal = new OperationCanceledException();

        Assert.Equal(Enumerable.Repeat(ErrorCode.RequestTimedOut, 6), await AskAllAsync());
    }

    [Fact]
    public async Task Brokers_that_are_away_and_their_WALs_are_told_without_a_controller_but_not_what_waits_for_them()
    {
        _controller.Refusal = new ControllerException(ControllerError.ControllerLost, "not now");
        var (away, epoch, wal) = (new NodeId(2), new NodeEpoch(3), new Guid(1, 2, 3, new byte[8]));
        var feed = new MetadataFeed();
        feed.Publish(MetadataImage.Empty with
        {
            Version = new MetadataVersion(1, 1),
            Nodes = MetadataImage.Empty.Nodes.Add(
                away, new NodeImage(away, epoch, Guid.Empty, [new(ListenerName.Plaintext, "h", 9092)], "r", NodeState.Fenced) { Name = "away" }),
            Wals = MetadataImage.Empty.Wals.Add(wal, new WalImage(wal, 2, "file:///wal", away, epoch, WalState.AwaitsRecovery)),
        });
        using var context = TestContext.Create(0, _broker.Buffers.Rent(1));

        var told = await new DescribeNodesHandler(new NodeId(1), feed, Deeds).HandleAsync(context, new DescribeNodesRequest { TimeoutMs = 1_000 }, default);

        Assert.Equal((ErrorCode.NotController, -1), ((ErrorCode)told.ErrorCode, told.ControllerId));
        Assert.Equal(("away", (sbyte)NodeState.Fenced, "h", "r"), (told.Nodes[0].Name, told.Nodes[0].State, told.Nodes[0].Host, told.Nodes[0].Rack));
        Assert.Equal((wal, 2, 0), (told.WaitingWals[0].WalId, told.WaitingWals[0].NodeId, told.WaitingWals[0].Partitions.Count));
    }

    private ControllerDeeds Deeds => new(_broker.Runtime, _controller);

    private async Task<ErrorCode[]> AskAllAsync()
    {
        using var context = TestContext.Create(1, _broker.Buffers.Rent(1));
        var created = await new CreateTopicsHandler(Deeds)
            .HandleAsync(context, new CreateTopicsRequest { TimeoutMs = 1_000, Topics = [new() { Name = "n" }] }, default);
        var grown = await new CreatePartitionsHandler(Deeds)
            .HandleAsync(context, new CreatePartitionsRequest { TimeoutMs = 1_000, Topics = [new() { Name = "n" }] }, default);
        var deleted = await new DeleteTopicsHandler(_broker.Identity, _broker.Feed, Deeds)
            .HandleAsync(context, new DeleteTopicsRequest { TimeoutMs = 1_000, TopicNames = ["n"] }, default);
        var altered = await new AlterConfigsHandler(Deeds)
            .HandleAsync(context, new AlterConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "n" }] }, default);
        var changed = await new IncrementalAlterConfigsHandler(Deeds)
            .HandleAsync(context, new IncrementalAlterConfigsRequest { Resources = [new() { ResourceType = 2, ResourceName = "n" }] }, default);
        var removed = await new UnregisterBrokerHandler(Deeds).HandleAsync(context, new UnregisterBrokerRequest { BrokerId = 1 }, default);
        Assert.Equal(("n", "n"), (altered.Responses[0].ResourceName, changed.Responses[0].ResourceName));
        return
        [
            (ErrorCode)created.Topics[0].ErrorCode,
            (ErrorCode)grown.Results[0].ErrorCode,
            (ErrorCode)deleted.Responses[0].ErrorCode,
            (ErrorCode)altered.Responses[0].ErrorCode,
            (ErrorCode)changed.Responses[0].ErrorCode,
            (ErrorCode)removed.ErrorCode,
        ];
    }

    private sealed class RefusingController : IControllerChannel
    {
        public int Asked { get; private set; }

        public Exception Refusal { get; set; } = new InvalidOperationException("Nothing was said");

        public async ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            await Task.Yield();
            Asked++;
            throw Refusal;
        }
    }
}
