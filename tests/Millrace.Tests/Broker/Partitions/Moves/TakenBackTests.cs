using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Metadata;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>Partitions whose hand-over does not come to its end: who can be had by nobody else is taken back, and none keeps its producers for long.</summary>
public sealed class TakenBackTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Where_the_store_hangs_the_partition_serves_again_and_goes_when_the_store_is_back()
    {
        await using var broker = MovingBroker.WithoutUploadsAhead();
        var partition = (await broker.AddTopicAsync(1))[0];
        var held = await StopOnHeldPutAsync(broker, partition);
        var parked = ProduceAsync(broker, partition);
        Assert.False(partition.ParksReads);
        Assert.Equal(PartitionError.None, partition.FindLatest(-1, out var latest));
        Assert.Equal(1, latest.Offset);
        Assert.False(parked.IsCompleted);

        var first = await parked.WaitAsync(Patience);
        Assert.Equal((PartitionError.None, 1L), (first.Error, first.BaseOffset));
        await first.Durable;
        Assert.False(partition.Ending.IsCancellationRequested);
        var second = await ProduceAsync(broker, partition).WaitAsync(Patience);
        Assert.Equal((PartitionError.None, 2L), (second.Error, second.BaseOffset));
        await second.Durable;
        Assert.Equal((MovePhase.Planned, null), (Assert.Single(broker.Moves).Phase, broker.Moves[0].StoppedAt));

        // It rests, whatever is said of its topic meanwhile.
        broker.Change(_ => true, known => known with { Replicas = [PartitionsUnderTest.Other, PartitionsUnderTest.Self] });
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.Equal(PartitionPhase.Open, partition.Phase);

        held.SetResult();
        Assert.True(await Eventually.BecomesTrueAsync(() => partition.Phase == PartitionPhase.Closed));
        Assert.Equal(MovePhase.Done, Assert.Single(broker.Moves).Phase);
        Assert.Equal(3, broker.Inner.Registry.Describe(broker.Inner.Table.Image.Topics["t"].Partitions[0].Stream).End);
    }

    [Fact]
    public async Task Once_another_may_lead_it_nothing_is_read_and_a_produce_is_refused_in_the_end()
    {
        await using var broker = MovingBroker.WithoutUploadsAhead();
        var partition = (await broker.AddTopicAsync(1))[0];
        var asking = broker.Hold("CommitAsync");

        broker.Plan(PartitionsUnderTest.Other);
        await asking;
        Assert.True(partition.ParksReads);
        Assert.Equal(PartitionError.NotLeader, partition.FindLatest(-1, out _));

        Assert.Equal(PartitionError.NotLeader, (await ProduceAsync(broker, partition).WaitAsync(Patience)).Error);
        Assert.Equal(PartitionPhase.HandingOver, partition.Phase);
        broker.Release("CommitAsync");
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Moves is [{ Phase: MovePhase.Done }]));
    }

    [Fact]
    public async Task One_that_is_to_close_meanwhile_is_not_taken_back()
    {
        await using var broker = MovingBroker.WithoutUploadsAhead();
        var partition = (await broker.AddTopicAsync(1))[0];
        var held = await StopOnHeldPutAsync(broker, partition);

        var closing = partition.CloseAsync(default);

        // Longer than a hand-over is tried.
        await Task.Delay(TimeSpan.FromSeconds(6));
        Assert.Equal(PartitionPhase.HandingOver, partition.Phase);
        held.SetResult();
        await closing.WaitAsync(Patience);
        Assert.Equal(PartitionPhase.Closed, partition.Phase);
    }

    /// <summary>Has the partition stop serving, with a store that writes nothing. Returns what lets it.</summary>
    private static async Task<TaskCompletionSource> StopOnHeldPutAsync(MovingBroker broker, Partition partition)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Inner.Storage.BeforePut = async (_, token) => await held.Task.WaitAsync(token);
        broker.Plan(PartitionsUnderTest.Other);
        Assert.True(await Eventually.BecomesTrueAsync(() => partition.Phase == PartitionPhase.HandingOver));
        return held;
    }

    private static async Task<PendingAppend> ProduceAsync(MovingBroker broker, Partition partition) =>
        await partition.AppendAsync(ProducedBatch.OfBroker(Batches.Frame(broker.Inner.Buffers, Batches.Of("v")), 1, 1_000), fromReserve: false, default);
}
