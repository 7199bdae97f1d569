using Millrace.Tests.Broker.Apis.Data;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Broker.Partitions;

public sealed class PartitionOpeningTests
{
    [Fact]
    public async Task A_lack_of_memory_makes_an_opening_wait_and_ends_nothing()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var failures = 2;
        broker.Registry.Before = call => call == "OpenAsync" && failures-- > 0 ? throw new InsufficientMemoryException("none, says the test") : default;

        await broker.OpenAsync();

        Assert.Equal(-1, failures);
        Assert.False(broker.Runtime.Failed.IsCompleted);
    }

    [Fact]
    public async Task A_partition_that_is_closed_before_it_knows_its_producers_leaves_no_state_that_lacks_them()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await new DataPathClient(broker).ProduceAsync(Batches.Idempotent(producerId: 7, epoch: 0, sequence: 0));
        broker.Storage.BeforeRead = _ => throw TestStorage.Unavailable;
        await broker.CrashAsync();
        await TestNode.UntilAsync(() => broker.Storage.Reads > 0);
        await broker.RestartAsync();
        broker.Storage.BeforeRead = _ => default;

        // Sent again: it is known.
        Assert.Equal(0, (await new DataPathClient(broker).ProduceAsync(Batches.Idempotent(producerId: 7, epoch: 0, sequence: 0))).BaseOffset);
        Assert.Equal(1, (await broker.OpenAsync()).HighWatermark);
    }
}
