using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Broker.Membership;
using Millrace.Broker.Partitions.Moves;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>A pause between two groups, by a clock that stands still: only what the images say can end it.</summary>
public sealed class HandOverPaceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly MetadataFeed _feed = new();
    private readonly BrokerIdentity _self = new(
        new NodeId(1), new NodeEpoch(1),
        new ConfigResolver(new NodeId(1), new Dictionary<string, string> { [BrokerConfigs.LeaderReplicationThrottledRate] = "1" }));

    [Fact]
    public async Task It_ends_as_soon_as_the_rate_is_raised()
    {
        var pause = Pace().WaitAsync(1_000, began: 0, default);
        Publish(1, image => image);
        Assert.False(pause.IsCompleted);

        Publish(2, image => image with
        {
            BrokerConfigs = image.BrokerConfigs.SetItem(
                MetadataImage.AllBrokers,
                ImmutableSortedDictionary<string, string>.Empty.Add(BrokerConfigs.LeaderReplicationThrottledRate, "1000000000000")),
        });

        await pause.WaitAsync(Patience);
    }

    [Fact]
    public async Task It_ends_as_soon_as_the_broker_is_about_to_stop()
    {
        var pause = Pace().WaitAsync(1_000, began: 0, default);
        Publish(1, image => image with
        {
            Nodes = image.Nodes.Add(_self.Node, new NodeImage(_self.Node, new NodeEpoch(1), Guid.Empty, [], null, NodeState.Live) { IsLeaving = true }),
        });

        await pause.WaitAsync(Patience);
    }

    [Fact]
    public async Task There_is_none_where_no_rate_is_kept() =>
        await Pace(keepsRate: false).WaitAsync(1_000, began: 0, default).WaitAsync(Patience);

    private HandOverPace Pace(bool keepsRate = true) => new(
        new NodeRuntime(
            new StoppedTime(), TaskScheduler.Default, new SystemRandom(), null!, NullLoggerFactory.Instance),
        _feed, _self, keepsRate);

    private void Publish(long version, Func<MetadataImage, MetadataImage> change)
    {
        var image = change(_feed.Image);
        _feed.Publish(image with { Version = image.Version with { Index = version } });
    }

    private sealed class StoppedTime : TimeProvider
    {
        public override long GetTimestamp() => 0;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
