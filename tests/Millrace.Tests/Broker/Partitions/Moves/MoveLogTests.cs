using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Moves;
using Millrace.Broker.Partitions.Producers;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>What a broker tells of the moves that it takes part in.</summary>
public sealed class MoveLogTests
{
    private static readonly int OneBatch = Batches.Of("v").Length;
    private static readonly Dictionary<string, string> OneAtATime = new() { [BrokerConfigs.HandOverPartitions] = "1" };

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
    [InlineData(2, 10)]
    [InlineData(null, 3)]
    public async Task What_is_uploaded_in_the_stop_counts_when_it_has_gone(int? leader, long uploaded)
    {
        await using var broker = new MovingBroker();
        var log = new MoveLog(broker.Inner.Runtime.Time, PartitionsUnderTest.Self);
        var partition = PartitionOf(broker.Inner, 0);
        log.Plan(partition, PartitionsUnderTest.Other);
        log.AddUploaded(partition, 3);
        log.Stop(partition, bytesLeft: 7);
        Assert.Equal((7L, 3L), (log.All()[0].BytesLeft, log.All()[0].BytesUploaded));

        log.Follow(partition, leader is { } node ? ImageOf(0) with { Leader = new NodeId(node), Epoch = new StreamEpoch(2) } : null);

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
    public async Task One_of_a_group_is_done_when_the_next_leader_leads_it_though_another_still_stops()
    {
        await using var broker = new MovingBroker();
        await broker.AddTopicAsync(2);
        var (calls, held) = (0, new TaskCompletionSource());
        broker.Inner.Registry.Before = async call =>
        {
            if (call == "CloseAsync" && Interlocked.Increment(ref calls) == 2)
            {
                await held.Task;
            }
        };

        broker.Plan(PartitionsUnderTest.Other);

        var isTold = await Eventually.BecomesTrueAsync(() => broker.Moves.Any(move => move is { Phase: MovePhase.Done, EndedAt: not null }));
        var stopped = broker.Moves.Count(move => move.Phase == MovePhase.Stopped);
        held.SetResult();
        Assert.Equal((true, 1), (isTold, stopped));
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Count(move => move.Phase == MovePhase.Done) == 2));
    }

    [Fact]
    public async Task What_waits_is_told_as_ended_when_its_plan_ends_or_its_topic_is_deleted()
    {
        await using var broker = new MovingBroker(OneAtATime);
        await broker.AddTopicAsync(3);
        var stopped = broker.Hold("CloseAsync");
        broker.Plan(PartitionsUnderTest.Other);
        await stopped;

        broker.Plan(null, partition: 2);
        Assert.Equal([MovePhase.Stopped, MovePhase.Planned, MovePhase.Cancelled], Phases(broker));

        broker.Plan(null, partition: 0);
        Assert.Equal([MovePhase.Stopped, MovePhase.Planned, MovePhase.Cancelled], Phases(broker));

        broker.Inner.Registry.HandedOver = null;
        broker.Inner.Publish(image => PartitionsUnderTest.Without(image, image.Topics["t"]));
        Assert.Equal([MovePhase.Lost, MovePhase.Lost, MovePhase.Cancelled], Phases(broker));
    }

    [Fact]
    public async Task What_was_cancelled_while_it_waited_is_not_uploaded_and_goes_when_it_is_planned_again()
    {
        await using var broker = new MovingBroker(OneAtATime);
        var partitions = await broker.AddTopicAsync(3);
        var stopped = broker.Hold("CloseAsync");
        broker.Plan(PartitionsUnderTest.Other);
        await stopped;
        broker.Plan(null, partition: 1);
        broker.Release("CloseAsync");

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Count(move => move.Phase == MovePhase.Done) == 2));
        Assert.Equal(OneBatch, partitions[1].UncommittedBytes);

        broker.Plan(PartitionsUnderTest.Other, partition: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves.Count(move => move.Phase == MovePhase.Done) == 3));
    }

    [Fact]
    public async Task One_whose_stream_was_lost_is_told_of_once_however_often_its_topic_changes()
    {
        await using var broker = new MovingBroker();
        var partition = (await broker.AddTopicAsync(1))[0];
        var uploading = broker.Hold("CommitAsync");
        broker.Plan(PartitionsUnderTest.Other);
        await uploading;
        partition.OnLost(StreamError.Corrupt);
        broker.Release("CommitAsync");
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves is [{ Phase: MovePhase.Lost }]));

        for (var change = 1; change <= 3; change++)
        {
            broker.Change(_ => true, known => known with { Replicas = [.. known.Replicas, new NodeId(2 + change)] });
        }

        // The next one that goes shows that whatever else was in line has been come by.
        var second = await broker.Inner.AddTopicAsync("u");
        var next = await broker.Inner.OpenAsync("u");
        broker.Inner.Publish(image => PartitionsUnderTest.With(
            image, second with { Partitions = [second.Partitions[0] with { PlannedTo = PartitionsUnderTest.Other }] }));
        Assert.True(await Eventually.BecomesTrueAsync(() => next.Phase is PartitionPhase.HandingOver or PartitionPhase.Closed));
        Assert.Single(broker.Moves, move => move.Id == partition.Id);
    }

    [Fact]
    public async Task What_an_upload_that_failed_did_not_commit_counts_when_the_stop_does()
    {
        await using var broker = MovingBroker.WithoutUploadsAhead();
        await broker.AddTopicAsync(1);
        broker.Plan(PartitionsUnderTest.Other);

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves is [{ Phase: MovePhase.Done }]));
        Assert.Equal(OneBatch, broker.Moves[0].BytesUploaded);
    }

    [Fact]
    public async Task A_thousand_that_have_ended_are_kept()
    {
        await using var broker = new MovingBroker();
        var log = new MoveLog(broker.Inner.Runtime.Time, PartitionsUnderTest.Self);
        for (var i = 0; i <= MoveLog.MostEnded; i++)
        {
            var partition = PartitionOf(broker.Inner, i);
            log.Plan(partition, PartitionsUnderTest.Other);
            log.Lose(partition);
        }

        Assert.Equal(Enumerable.Range(1, MoveLog.MostEnded), log.All().Select(move => move.Id.Partition));
    }

    private static IEnumerable<MovePhase> Phases(MovingBroker broker) => broker.Moves.OrderBy(move => move.Id.Partition).Select(move => move.Phase);

    private static Partition PartitionOf(PartitionsUnderTest broker, int index) => new(
        broker.Runtime, broker.Node.Store, new TopicIdPartition(Guid.Empty, "t", index),
        ImageOf(index), broker.Table.Find("t", 0).Partition?.Settings ?? default!, new ProducerCensus(10));

    private static PartitionImage ImageOf(int index) =>
        new(index, new StreamId(index + 1), PartitionsUnderTest.Self, new StreamEpoch(1), [PartitionsUnderTest.Self]);
}
