using Millrace.Broker.Apis.Data;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>Partitions that are planned to another node: what their leader does with them, and with the requests that come meanwhile.</summary>
public sealed class PartitionHandOversTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Dictionary<string, string> FewRecords = new() { ["millrace.offsets.spare.records"] = "2" };

    [Fact]
    public async Task A_planned_partition_is_uploaded_while_it_serves_then_parks_what_comes_and_says_in_the_end_who_leads_it()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var partition = await broker.OpenAsync();
        await AppendAsync(broker, partition);
        var (closing, held) = (new TaskCompletionSource(), new TaskCompletionSource());
        broker.Registry.Before = async call =>
        {
            if (call == "CloseAsync")
            {
                closing.TrySetResult();
                await held.Task;
            }
        };
        broker.Registry.HandedOver = _ => Publish(broker, topic, known => known with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(2) });

        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other });
        await closing.Task.WaitAsync(Patience);
        var parked = partition.AppendAsync(Batch(broker), fromReserve: false, default).AsTask();
        var looked = partition.WhenOpenAsync(default).AsTask();

        Assert.Equal(PartitionPhase.HandingOver, partition.Phase);
        Assert.Equal(1, broker.Registry.Describe(topic.Partitions[0].Stream).End);
        Assert.Equal(PartitionError.NotLeader, partition.FindLatest(-1, out _));
        Assert.False(parked.IsCompleted || looked.IsCompleted);
        var lookup = broker.Table.Find("t", 0);
        Assert.Null(new LeaderHints(broker.Table.Image, ListenerName.Plaintext).Add(PartitionError.NotLeader, lookup));
        held.SetResult();

        Assert.Equal(PartitionError.NotLeader, (await parked.WaitAsync(Patience)).Error);
        Assert.Equal(PartitionError.NotLeader, await looked.WaitAsync(Patience));
        var found = broker.Table.Find("t", 0);
        Assert.Equal((PartitionError.NotLeader, PartitionsUnderTest.Other), (found.Error, found.Known!.Leader));

        // Whoever found it here before is told of the next leader all the same.
        Assert.Equal((2, 2), new LeaderHints(broker.Table.Image, ListenerName.Plaintext).Add(PartitionError.NotLeader, lookup));
    }

    [Fact]
    public async Task Groups_hear_that_a_partition_goes_before_another_may_lead_it()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var partition = await broker.OpenAsync();
        var wasTold = false;
        var told = new TaskCompletionSource<bool>();
        partition.Ending.Register(() => wasTold = true);
        broker.Registry.HandedOver = _ => told.TrySetResult(wasTold);

        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other });

        Assert.True(await told.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task One_that_is_handed_over_when_its_plan_has_ended_is_opened_again_at_the_epoch_that_it_is_given_back_at()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var former = await broker.OpenAsync();
        await AppendAsync(broker, former);
        broker.Registry.HandedOver = _ => Publish(broker, topic, known => known with { Epoch = new StreamEpoch(2) });

        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other });

        Assert.True(await Eventually.BecomesTrueAsync(() => former.Phase == PartitionPhase.Closed));
        var current = await broker.OpenAsync();
        Assert.Equal((2, 1L), (current.LeaderEpoch, current.HighWatermark));
        await AppendAsync(broker, current);
    }

    [Fact]
    public async Task A_plan_that_ends_while_the_partition_still_serves_is_not_followed()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var partition = await broker.OpenAsync();
        await AppendAsync(broker, partition);
        var (uploading, held) = (new TaskCompletionSource(), new TaskCompletionSource());
        broker.Registry.Before = async call =>
        {
            if (call == "CommitAsync")
            {
                uploading.TrySetResult();
                await held.Task;
            }
        };
        broker.Registry.HandedOver = _ => Assert.Fail("It was handed over");

        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other });
        await uploading.Task.WaitAsync(Patience);
        Publish(broker, topic, known => known);
        held.SetResult();

        // The next one that goes shows that the loop has come by this one.
        var second = await broker.AddTopicAsync("u");
        var next = await broker.OpenAsync("u");
        broker.Registry.HandedOver = stream => Publish(broker, second, known => known with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(2) });
        Publish(broker, second, known => known with { PlannedTo = PartitionsUnderTest.Other });
        Assert.True(await Eventually.BecomesTrueAsync(() => next.Phase == PartitionPhase.Closed));

        Assert.Equal(PartitionPhase.Open, partition.Phase);
        await AppendAsync(broker, partition);
    }

    [Fact]
    public async Task A_coordinators_partition_serves_until_its_next_leader_has_read_what_there_is_of_it()
    {
        await using var broker = PartitionsUnderTest.Start(settings: FewRecords);
        var topic = await broker.AddTopicAsync(InternalTopics.ConsumerOffsets);
        var partition = await broker.OpenAsync(InternalTopics.ConsumerOffsets);
        await AppendAsync(broker, partition);
        await AppendAsync(broker, partition);
        broker.Registry.HandedOver = _ => Publish(broker, topic, known => known with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(2) });

        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other });

        // It is there to be read.
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Registry.Describe(topic.Partitions[0].Stream).End == 2));
        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other, WarmTo = 1 });

        // What is handed over at all is within some milliseconds.
        await Task.Delay(TimeSpan.FromMilliseconds(300));
        Assert.Equal(PartitionPhase.Open, partition.Phase);
        await AppendAsync(broker, partition);

        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other, WarmTo = 2 });
        Assert.True(await Eventually.BecomesTrueAsync(() => partition.Phase == PartitionPhase.Closed));
    }

    [Fact]
    public async Task A_coordinators_partition_of_few_records_waits_for_nobody()
    {
        await using var broker = PartitionsUnderTest.Start(settings: FewRecords);
        var topic = await broker.AddTopicAsync(InternalTopics.ConsumerOffsets);
        var partition = await broker.OpenAsync(InternalTopics.ConsumerOffsets);
        await AppendAsync(broker, partition);
        broker.Registry.HandedOver = _ => Publish(broker, topic, known => known with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(2) });

        Publish(broker, topic, known => known with { PlannedTo = PartitionsUnderTest.Other });

        Assert.True(await Eventually.BecomesTrueAsync(() => partition.Phase == PartitionPhase.Closed));
    }

    private static void Publish(PartitionsUnderTest broker, TopicImage topic, Func<PartitionImage, PartitionImage> change) =>
        broker.Publish(image => PartitionsUnderTest.With(image, topic with { Partitions = [.. topic.Partitions.Select(change)] }));

    private static ProducedBatch Batch(PartitionsUnderTest broker) =>
        ProducedBatch.OfBroker(Batches.Frame(broker.Buffers, Batches.Of("v")), 1, 1_000);

    private static async Task AppendAsync(PartitionsUnderTest broker, Partition partition)
    {
        var pending = await partition.AppendAsync(Batch(broker), fromReserve: false, default);
        Assert.Equal(PartitionError.None, pending.Error);
        await pending.Durable;
    }
}
