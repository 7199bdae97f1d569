using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Tests.Broker.Apis.Data;
using Xunit;

namespace Millrace.Tests.Broker.Partitions;

public sealed class PartitionTableTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Partitions_open_in_the_background()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 50);

        Assert.True(await Eventually.BecomesTrueAsync(() =>
            broker.Table.Led() is { Count: 50 } led && led.All(partition => partition.Phase == PartitionPhase.Open)));
    }

    [Theory]
    [InlineData(StreamError.StorageUnavailable)]
    [InlineData(StreamError.ControllerLost)]
    public async Task Requests_park_while_a_partition_opens_and_the_opening_outlasts_a_store_or_controller_that_does_not_answer(StreamError error)
    {
        await using var broker = PartitionsUnderTest.Start();
        var refusals = 0;
        var answers = false;
        broker.Registry.Before = call => call == "OpenAsync" && !Volatile.Read(ref answers) && Interlocked.Increment(ref refusals) > 0
            ? throw new StreamException(error, "Not now")
            : default;
        await broker.AddTopicAsync();
        var partition = broker.Table.Find("t", 0).Partition!;
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => partition.WhenOpenAsync(impatient.Token).AsTask());
        var parked = partition.WhenOpenAsync(default).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => Volatile.Read(ref refusals) > 0));
        Assert.False(parked.IsCompleted);
        Volatile.Write(ref answers, true);

        Assert.Equal(PartitionError.None, await parked.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_partition_whose_stream_is_taken_answers_that_it_is_not_the_leader()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        await broker.OpenAsync();
        broker.Registry.Fence(broker.Node.Incarnation);
        broker.Publish(image => PartitionsUnderTest.With(image, WithEpoch(topic, 5)));

        var partition = broker.Table.Find("t", 0).Partition!;

        Assert.Equal(PartitionError.NotLeader, await partition.WhenOpenAsync(default).AsTask().WaitAsync(Patience));
        Assert.Equal(PartitionPhase.Lost, partition.Phase);
    }

    [Fact]
    public async Task One_partition_whose_closing_fails_of_a_fault_keeps_nobody_waiting_for_the_others()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 3);
        var partitions = new[] { await broker.OpenAsync("t", 0), await broker.OpenAsync("t", 1), await broker.OpenAsync("t", 2) };
        var closings = 0;
        broker.Registry.Before = call =>
            call == "CloseAsync" && Interlocked.Increment(ref closings) == 1 ? throw new ArgumentException("a fault of ours") : default;

        await Assert.ThrowsAsync<ArgumentException>(() => broker.Table.CloseAsync(default));

        Assert.All(partitions, partition => Assert.Equal(PartitionPhase.Closed, partition.Phase));
        foreach (var partition in partitions)
        {
            Assert.Equal(PartitionError.NotLeader, await partition.WhenOpenAsync(default).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        }
    }

    [Fact]
    public async Task Closing_waits_no_longer_than_it_may_for_an_opening_that_hears_of_nothing()
    {
        await using var broker = PartitionsUnderTest.Start();
        var (asked, held) = (new TaskCompletionSource(), new TaskCompletionSource());
        broker.Registry.Before = async call =>
        {
            if (call == "OpenAsync")
            {
                asked.TrySetResult();
                await held.Task;
            }
        };
        await broker.AddTopicAsync();
        var partition = broker.Table.Find("t", 0).Partition!;
        var parked = partition.WhenOpenAsync(default).AsTask();
        await asked.Task.WaitAsync(Patience);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => broker.Table.CloseAsync(patience.Token).WaitAsync(Patience));

        Assert.Equal(PartitionPhase.Closed, partition.Phase);
        Assert.Equal(PartitionError.NotLeader, await parked.WaitAsync(Patience));
        held.SetResult();
    }

    [Fact]
    public async Task A_higher_epoch_closes_the_partition_and_opens_it_anew()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var former = await broker.OpenAsync();

        broker.Publish(image => PartitionsUnderTest.With(image, WithEpoch(topic, 2)));

        Assert.True(await Eventually.BecomesTrueAsync(() => former.Phase == PartitionPhase.Closed));
        var current = broker.Table.Find("t", 0).Partition!;
        Assert.Equal((2, false), (current.LeaderEpoch, ReferenceEquals(former, current)));
        Assert.Equal(PartitionError.NotLeader, await former.WhenOpenAsync(default));
    }

    [Fact]
    public async Task A_partition_that_goes_elsewhere_and_comes_back_before_it_was_closed_opens_when_it_is()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var former = await broker.OpenAsync();
        var held = new TaskCompletionSource();
        broker.Registry.Before = call => call == "CloseAsync" ? new ValueTask(held.Task) : default;
        broker.Publish(image => PartitionsUnderTest.With(
            image, topic with { Partitions = [topic.Partitions[0] with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(2) }] }));
        Assert.True(await Eventually.BecomesTrueAsync(() => former.Phase == PartitionPhase.Closing));

        broker.Publish(image => PartitionsUnderTest.With(image, WithEpoch(topic, 3)));
        var opening = broker.Table.Find("t", 0).Partition!.WhenOpenAsync(default).AsTask();
        Assert.False(opening.IsCompleted);
        held.SetResult();

        Assert.Equal(PartitionError.None, await opening.WaitAsync(Patience));
        Assert.False(broker.Runtime.Failed.IsCompleted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_partition_that_was_lost_while_it_opened_opens_at_a_higher_epoch(bool whileReplaying)
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        await new DataPathClient(broker).ProduceAsync(Batches.Of("a"));
        var damage = new StreamException(StreamError.Corrupt, "damaged, for a while");
        if (whileReplaying)
        {
            broker.Storage.BeforeRead = _ => throw damage;
        }
        else
        {
            broker.Registry.Before = call => call == "GetRangesAsync" ? throw damage : default;
        }

        await broker.CrashAsync();
        var former = broker.Table.Find("t", 0).Partition!;
        Assert.Equal(PartitionError.StorageFailed, await former.WhenOpenAsync(default).AsTask().WaitAsync(Patience));
        broker.Storage.BeforeRead = _ => default;
        broker.Registry.Before = _ => default;

        broker.Publish(image => PartitionsUnderTest.With(image, WithEpoch(topic, 3)));

        var current = broker.Table.Find("t", 0).Partition!;
        Assert.Equal(PartitionError.None, await current.WhenOpenAsync(default).AsTask().WaitAsync(Patience));
        Assert.Equal(1, current.HighWatermark);
    }

    [Fact]
    public async Task A_partition_that_never_opened_takes_no_deletion_while_it_closes_since_it_knows_no_producers()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        await new DataPathClient(broker).ProduceAsync(Batches.Idempotent(9, 0, 0));
        broker.Storage.BeforeRead = _ => throw new StreamException(StreamError.Corrupt, "damaged, for a while");
        await broker.CrashAsync();
        var former = broker.Table.Find("t", 0).Partition!;
        Assert.Equal(PartitionError.StorageFailed, await former.WhenOpenAsync(default).AsTask().WaitAsync(Patience));
        broker.Storage.BeforeRead = _ => default;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "CloseAsync" ? new ValueTask(gate.Task) : default;
        broker.Publish(image => PartitionsUnderTest.With(image, WithEpoch(topic, 3)));
        Assert.True(await Eventually.BecomesTrueAsync(() => former.Phase == PartitionPhase.Closing));

        try
        {
            Assert.Equal(PartitionError.NotLeader, (await former.DeleteRecordsAsync(-1, default).AsTask().WaitAsync(Patience)).Error);
        }
        finally
        {
            // Or the broker would never close.
            gate.SetResult();
        }

        Assert.Equal(PartitionError.None, await broker.Table.Find("t", 0).Partition!.WhenOpenAsync(default).AsTask().WaitAsync(Patience));
        var client = new DataPathClient(broker);
        Assert.Equal(0, (await client.ProduceAsync(Batches.Idempotent(9, 0, 0))).BaseOffset);
    }

    [Fact]
    public async Task Deleted_topics_and_other_nodes_partitions_are_not_led()
    {
        await using var broker = PartitionsUnderTest.Start();
        var gone = await broker.AddTopicAsync("gone");
        var moved = await broker.AddTopicAsync("moved");
        broker.Publish(image => PartitionsUnderTest.Without(image, gone));
        broker.Publish(image => PartitionsUnderTest.With(image, moved with { Partitions = [moved.Partitions[0] with { Leader = PartitionsUnderTest.Other }] }));

        Assert.Equal(PartitionError.UnknownPartition, broker.Table.Find("gone", 0).Error);
        Assert.Equal(PartitionError.NotLeader, broker.Table.Find("moved", 0).Error);
        Assert.Equal(PartitionError.UnknownPartition, broker.Table.Find("moved", 1).Error);
        Assert.Empty(broker.Table.Led());
    }

    [Fact]
    public async Task Partitions_that_close_with_their_broker_share_their_uploads()
    {
        const int Partitions = 50;
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", Partitions);
        var client = new DataPathClient(broker);
        for (var i = 0; i < Partitions; i++)
        {
            (await client.ProduceAsync(version: 9, acks: -1, 30_000, ("t", i, Batches.Of("a")))).Context.Dispose();
        }

        var led = broker.Table.Led();
        await broker.Table.CloseAsync(default).WaitAsync(Patience);

        Assert.All(led, partition => Assert.Equal((PartitionPhase.Closed, 1), (partition.Phase, partition.HighWatermark)));
        Assert.Equal(1, broker.Registry.Commits);
    }

    [Fact]
    public async Task Retention_moves_the_log_start_of_open_partitions()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 1, ("retention.ms", "3600000"));
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.At(1_000));
        await broker.Node.UploadAsync();
        await client.ProduceAsync(Batches.At(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        await broker.Node.UploadAsync();

        await new PartitionMaintenance(broker.Runtime, broker.Table, broker.Identity.Configs).SweepAsync(default);

        var partition = await broker.OpenAsync();
        Assert.Equal((1L, 2L), (partition.LogStartOffset, partition.HighWatermark));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_without_timestamps_age_from_their_append_and_no_lookup_by_time_finds_them(bool uploadedAndRestarted)
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("young", 1, ("retention.ms", "3600000"));
        await broker.AddTopicAsync("old", 1, ("retention.ms", "1"));
        var client = new DataPathClient(broker);
        foreach (var topic in (string[])["young", "old"])
        {
            Assert.Equal(0, (await client.ProduceAsync(Batches.At(-1), topic: topic)).ErrorCode);
        }

        if (uploadedAndRestarted)
        {
            await broker.Node.UploadAsync();
            await broker.RestartAsync();
        }

        var (young, old) = (await broker.OpenAsync("young"), await broker.OpenAsync("old"));
        Assert.Equal((PartitionError.None, OffsetAtTime.None), await young.FindByTimeAsync(-1, 0, default));
        Assert.Equal((PartitionError.None, OffsetAtTime.None), await young.FindNewestTimeAsync(-1, default));
        var maintenance = new PartitionMaintenance(broker.Runtime, broker.Table, broker.Identity.Configs);
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            await maintenance.SweepAsync(default);
            return old.LogStartOffset == 1;
        }));
        Assert.Equal((0L, 1L), (young.LogStartOffset, young.HighWatermark));
    }

    private static TopicImage WithEpoch(TopicImage topic, int epoch) =>
        topic with { Partitions = [topic.Partitions[0] with { Epoch = new StreamEpoch(epoch) }] };
}
