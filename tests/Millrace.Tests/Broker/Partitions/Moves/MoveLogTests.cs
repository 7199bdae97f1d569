using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Moves;
using Millrace.Broker.Partitions.Producers;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>What a broker tells of the moves that it takes part in.</summary>
public sealed class MoveLogTests
{
    private static readonly int OneBatch = Batches.Of("v").Length;

    [Fact]
    public async Task A_move_is_told_from_its_plan_to_its_end_with_what_was_uploaded_for_it_and_how_long_it_stopped()
    {
        await using var broker = new MovingBroker();
        var partition = (await broker.AddTopicAsync(1))[0];
        var uploading = broker.Hold("CommitAsync");
        var stopped = broker.Hold("CloseAsync");

        broker.Plan(PartitionsUnderTest.Other);
        await uploading;
        var move = Assert.Single(broker.Moves);
        Assert.Equal((MovePhase.Uploading, OneBatch, 0), (move.Phase, move.BytesLeft, move.BytesUploaded));
        Assert.Equal((partition.Id, 1, PartitionsUnderTest.Self, PartitionsUnderTest.Other), (move.Id, move.LeaderEpoch, move.From, move.To));

        broker.Release("CommitAsync");
        await stopped;
        move = Assert.Single(broker.Moves);
        Assert.Equal((MovePhase.Stopped, 0, OneBatch), (move.Phase, move.BytesLeft, move.BytesUploaded));
        Assert.Null(move.EndedAt);

        broker.Release("CloseAsync");
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves is [{ Phase: MovePhase.Done }]));
        move = Assert.Single(broker.Moves);
        Assert.Equal((0, OneBatch), (move.BytesLeft, move.BytesUploaded));
        Assert.InRange(move.StoppedAt!.Value, move.Since, move.EndedAt!.Value);
    }

    [Theory]
    [InlineData(MovePhase.Done, 10)]
    [InlineData(MovePhase.Lost, 3)]
    public async Task What_is_uploaded_in_the_stop_counts_when_it_has_gone(MovePhase end, long uploaded)
    {
        await using var broker = new MovingBroker();
        var log = new MoveLog(broker.Inner.Runtime.Time);
        var partition = PartitionOf(broker.Inner, 0);
        log.Plan(partition, PartitionsUnderTest.Self, PartitionsUnderTest.Other);
        log.AddUploaded(partition, 3);
        log.Stop(partition, bytesLeft: 7);
        Assert.Equal((7L, 3L), (log.All()[0].BytesLeft, log.All()[0].BytesUploaded));

        log.End(partition, end);

        Assert.Equal((0L, uploaded), (log.All()[0].BytesLeft, log.All()[0].BytesUploaded));
    }

    [Fact]
    public async Task One_of_many_that_is_cancelled_before_it_stops_stays_and_the_others_go()
    {
        await using var broker = new MovingBroker();
        var partitions = await broker.AddTopicAsync(3);
        var uploading = broker.Hold("CommitAsync");
        broker.Plan(PartitionsUnderTest.Other);
        await uploading;

        broker.Plan(null, partition: 1);
        broker.Release("CommitAsync");

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Count(move => move.EndedAt is not null) == 3));
        Assert.Equal(
            [MovePhase.Done, MovePhase.Cancelled, MovePhase.Done], broker.Moves.OrderBy(move => move.Id.Partition).Select(move => move.Phase));
        Assert.Null(broker.Moves.Single(move => move.Phase == MovePhase.Cancelled).StoppedAt);
        await broker.AppendAsync(partitions[1]);

        // It can be planned again.
        broker.Plan(PartitionsUnderTest.Other, partition: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Count(move => move.Phase == MovePhase.Done) == 3));
    }

    [Fact]
    public async Task One_that_comes_back_after_its_stop_was_cancelled()
    {
        await using var broker = new MovingBroker();
        await broker.AddTopicAsync(1);
        var stopped = broker.Hold("CloseAsync");
        broker.Plan(PartitionsUnderTest.Other);
        await stopped;

        broker.Plan(null);
        broker.Release("CloseAsync");

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves is [{ Phase: MovePhase.Cancelled, StoppedAt: not null }]));
        Assert.Equal(2, (await broker.Inner.OpenAsync()).LeaderEpoch);
    }

    [Fact]
    public async Task The_next_leader_tells_that_it_opens_what_has_come_until_it_has()
    {
        await using var broker = new MovingBroker();
        var topic = await broker.Inner.MakeTopicAsync();
        broker.Inner.Publish(image => PartitionsUnderTest.With(image, topic));
        broker.Change(_ => true, known => known with { Leader = PartitionsUnderTest.Other, PlannedTo = PartitionsUnderTest.Self });
        Assert.Empty(broker.Moves);
        var opening = broker.Hold("OpenAsync");

        broker.Change(_ => true, known => known with { Leader = PartitionsUnderTest.Self, PlannedTo = null, Epoch = new StreamEpoch(2) });
        await opening;

        var move = Assert.Single(broker.Moves);
        Assert.Equal(
            (MovePhase.Opening, 1, PartitionsUnderTest.Other, PartitionsUnderTest.Self), (move.Phase, move.LeaderEpoch, move.From, move.To));
        broker.Release("OpenAsync");
        await broker.Inner.OpenAsync();
        Assert.Empty(broker.Moves);
    }

    [Fact]
    public async Task A_thousand_that_have_ended_are_kept()
    {
        await using var broker = new MovingBroker();
        var log = new MoveLog(broker.Inner.Runtime.Time);
        for (var i = 0; i <= MoveLog.MostEnded; i++)
        {
            var partition = PartitionOf(broker.Inner, i);
            log.Plan(partition, PartitionsUnderTest.Self, PartitionsUnderTest.Other);
            log.End(partition, MovePhase.Done);
        }

        Assert.Equal(Enumerable.Range(1, MoveLog.MostEnded), log.All().Select(move => move.Id.Partition));
    }

    private static Partition PartitionOf(PartitionsUnderTest broker, int index) => new(
        broker.Runtime, broker.Node.Store, new TopicIdPartition(Guid.Empty, "t", index),
        new PartitionImage(index, new StreamId(index + 1), PartitionsUnderTest.Self, new StreamEpoch(1), [PartitionsUnderTest.Self]),
        broker.Table.Find("t", 0).Partition?.Settings ?? default!, new ProducerCensus(10));
}
