using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Producers;
using Millrace.Protocol;
using Millrace.Streams;
using Millrace.Tests.Broker.Apis.Data;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Producers;

/// <summary>The idempotent producers of a whole node, and the bound on their number.</summary>
public sealed class ProducerCensusTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly Dictionary<string, string> AtMostTwenty = new() { ["millrace.producers.max"] = "20" };

    [Fact]
    public async Task Over_all_partitions_no_more_producers_are_remembered_than_the_node_may()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(settings: AtMostTwenty);
        await broker.AddTopicAsync("other");
        var client = new DataPathClient(broker);
        var maintenance = new PartitionMaintenance(broker.Runtime, broker.Table, broker.Identity.Configs);
        for (var id = 0; id < 30; id++)
        {
            Assert.Equal((short)ErrorCode.None, (await client.ProduceAsync(Batches.Idempotent(id, 0, 0), topic: id % 2 == 0 ? "t" : "other")).ErrorCode);
        }

        Assert.Equal(30, broker.Table.Producers.Count);
        await broker.Table.Producers.ExceededAsync(default).AsTask().WaitAsync(Patience);
        maintenance.ForgetIdlestProducers();

        Assert.Equal(18, broker.Table.Producers.Count);
        maintenance.ForgetIdlestProducers();
        Assert.Equal(18, broker.Table.Producers.Count);
    }

    [Fact]
    public async Task Producers_of_a_partition_that_is_gone_are_not_counted()
    {
        await using var broker = PartitionsUnderTest.Start(settings: AtMostTwenty);
        var topic = await broker.AddTopicAsync();
        await broker.AddTopicAsync("other");
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Idempotent(1, 0, 0));
        await client.ProduceAsync(Batches.Idempotent(2, 0, 0));
        await client.ProduceAsync(Batches.Idempotent(1, 0, 0), topic: "other");
        Assert.Equal(3, broker.Table.Producers.Count);

        broker.Publish(image => PartitionsUnderTest.Without(image, topic));

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Table.Producers.Count == 1));
    }

    [Fact]
    public async Task A_producer_of_which_a_partition_has_taken_nothing_is_not_counted()
    {
        await using var broker = PartitionsUnderTest.Start(settings: AtMostTwenty);
        // Before the topic is there: its partition opens when it will.
        broker.Registry.Before = call => call == "OpenAsync" ? throw new StreamException(StreamError.StorageUnavailable, "away") : default;
        await broker.AddTopicAsync();
        var client = new DataPathClient(broker);

        Assert.Equal((short)ErrorCode.RequestTimedOut, (await client.ProduceAsync(Batches.Idempotent(1, 0, 0), timeoutMs: 1)).ErrorCode);

        Assert.Equal(0, broker.Table.Producers.Count);
    }

    [Fact]
    public async Task Producers_of_a_checkpoint_are_counted_when_the_partition_opens_and_until_they_expire()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(settings: AtMostTwenty);
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Idempotent(1, 0, 0));
        await client.ProduceAsync(Batches.Idempotent(2, 0, 0));
        await broker.RestartAsync();
        var partition = await broker.OpenAsync();
        Assert.Equal(2, broker.Table.Producers.Count);

        await partition.MaintainAsync(TimeSpan.Zero, default);

        Assert.Equal(0, broker.Table.Producers.Count);
    }

    [Fact]
    public async Task Whoever_waits_for_too_many_hears_of_each_time_there_have_come_to_be()
    {
        var census = new ProducerCensus(limit: 2);
        var exceeded = census.ExceededAsync(default).AsTask();
        census.Change(2);
        Assert.False(exceeded.IsCompleted);

        census.Change(1);
        await exceeded.WaitAsync(Patience);
        exceeded = census.ExceededAsync(default).AsTask();
        census.Change(-2);
        Assert.False(exceeded.IsCompleted);
        census.Change(2);

        await exceeded.WaitAsync(Patience);
    }
}
