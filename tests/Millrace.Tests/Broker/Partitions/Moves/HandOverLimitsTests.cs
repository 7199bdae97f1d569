using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Moves;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>How many partitions stop at a time, and how soon the next ones follow: as a broker's configs say, while it runs.</summary>
public sealed class HandOverLimitsTests
{
    [Fact]
    public async Task So_many_partitions_stop_together_as_the_config_says_when_their_turn_comes()
    {
        await using var broker = new MovingBroker(new Dictionary<string, string> { [BrokerConfigs.HandOverPartitions] = "2" });
        var partitions = await broker.AddTopicAsync(7);
        var stopped = broker.Hold("CloseAsync");
        broker.Plan(PartitionsUnderTest.Other);
        await stopped;
        Assert.Equal(2, Stopped(partitions));
        Assert.Equal(5, broker.Moves.Count(move => move.Phase == MovePhase.Planned));

        await NextAsync(broker, partitions);
        Assert.Equal(2, Stopped(partitions));

        broker.Configure(BrokerConfigs.HandOverPartitions, "100");
        await NextAsync(broker, partitions);
        Assert.Equal(3, Stopped(partitions));
        broker.Release("CloseAsync");
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Count(move => move.Phase == MovePhase.Done) == 7));
    }

    [Fact]
    public async Task A_rate_holds_the_next_ones_back_until_it_is_raised()
    {
        await using var broker = new MovingBroker(new Dictionary<string, string> { [BrokerConfigs.LeaderReplicationThrottledRate] = "1" });
        var partitions = await broker.AddTopicAsync(3);
        broker.Plan(PartitionsUnderTest.Other);

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Any(move => move.Phase == MovePhase.Done)));
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        Assert.Equal(2, broker.Moves.Count(move => move.Phase == MovePhase.Planned));
        Assert.Equal(2, partitions.Count(partition => partition.Phase == PartitionPhase.Open));

        broker.Configure(BrokerConfigs.LeaderReplicationThrottledRate, "1000000000");
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.All(move => move.Phase == MovePhase.Done)));
    }

    [Fact]
    public async Task A_coordinators_partition_does_not_wait_for_what_a_rate_holds_back()
    {
        await using var broker = new MovingBroker(new Dictionary<string, string> { [BrokerConfigs.LeaderReplicationThrottledRate] = "1" });
        await broker.AddTopicAsync(3);
        var offsets = await broker.Inner.AddTopicAsync(InternalTopics.ConsumerOffsets, partitions: 3);
        broker.Plan(PartitionsUnderTest.Other);
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Any(move => move.Phase == MovePhase.Done)));
        var coordinators = new List<Partition>();
        for (var i = 0; i < 3; i++)
        {
            coordinators.Add(await broker.Inner.OpenAsync(InternalTopics.ConsumerOffsets, i));
            await broker.AppendAsync(coordinators[i]);
        }

        broker.Inner.Publish(image => PartitionsUnderTest.With(
            image, offsets with { Partitions = [.. offsets.Partitions.Select(known => known with { PlannedTo = PartitionsUnderTest.Other })] }));

        Assert.True(await Eventually.BecomesTrueAsync(() => Stopped(coordinators) == 3 || coordinators.TrueForAll(one => one.Phase == PartitionPhase.Closed)));
        Assert.Equal(2, broker.Moves.Count(move => move.Phase == MovePhase.Planned));
    }

    [Fact]
    public async Task A_broker_that_is_about_to_stop_is_not_held_back()
    {
        await using var broker = new MovingBroker(new Dictionary<string, string> { [BrokerConfigs.LeaderReplicationThrottledRate] = "1" });
        await broker.AddTopicAsync(3);
        broker.Inner.Publish(image => image with
        {
            Nodes = image.Nodes.SetItem(PartitionsUnderTest.Self, image.Nodes[PartitionsUnderTest.Self] with { IsLeaving = true }),
        });

        broker.Plan(PartitionsUnderTest.Other);

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Count(move => move.Phase == MovePhase.Done) == 3));
    }

    [Theory]
    [InlineData(0, 1, 0)]
    [InlineData(3_000_000, 1_500_000, 2)]
    [InlineData(192L << 20, long.MaxValue, 0)]
    [InlineData(long.MaxValue, 1, 365 * 86_400)]
    public void What_is_uploaded_takes_its_time(long bytes, long rate, double seconds)
    {
        var time = new HandOverLimits(1, rate).TimeOf(bytes);

        Assert.True(seconds > 86_400 ? time.TotalSeconds > seconds : Math.Abs(time.TotalSeconds - seconds) < 0.001);
    }

    private static int Stopped(IReadOnlyList<Partition> partitions) => partitions.Count(partition => partition.Phase == PartitionPhase.HandingOver);

    /// <summary>Lets the ones that have stopped go, and ends when the next ones have stopped.</summary>
    private static async Task NextAsync(MovingBroker broker, IReadOnlyList<Partition> partitions)
    {
        // Each calls by itself.
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Waiting == Stopped(partitions)));
        await broker.Hold("CloseAsync");
    }
}
