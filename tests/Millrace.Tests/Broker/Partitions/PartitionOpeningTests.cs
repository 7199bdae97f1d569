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
}
