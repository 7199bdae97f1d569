using Millrace.Streams.Objects;
using Millrace.Tests.Controller;
using Millrace.Tests.Controller.Failover;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>Nodes on stores that refuse, or are away.</summary>
public sealed class TroubledStoreTests
{
    [Fact]
    public async Task A_node_starts_and_stops_on_a_store_that_refuses_seven_writes_of_ten()
    {
        await using var storage = new TestStorage();
        var lots = new Random(11);
        storage.BeforePut = (_, _) =>
        {
            lock (lots)
            {
                return lots.Next(10) < 7 ? throw TestStorage.Unavailable : default;
            }
        };
        await using var node = await NodeUnderTest.StartAsync(storage, "object", ("millrace.stop.limit.ms", "120000"));
        Assert.True(await node.Host.StopAsync());
    }

    [Theory]
    [InlineData(true, "stays in the WAL")]
    [InlineData(false, "is lost with the WAL in memory")]
    public async Task A_stop_while_the_store_is_away_ends_in_time_and_says_what_was_not_uploaded(bool isFile, string said)
    {
        await using var storage = new TestStorage();
        using var folder = new TemporaryDirectory();
        await using var node = await NodeUnderTest.StartAsync(
            storage, isFile ? $"file://{folder.Path}?capacity=8MiB" : "memory:", options => options,
            ("millrace.stop.limit.ms", "700"), ("millrace.shutdown.grace.ms", "0"));
        var owner = await FormerWalsTests.OpenNewAsync(node);
        await FormerWalsTests.AppendAsync(node, owner);
        storage.BeforePut = async (_, token) => await Task.Delay(Timeout.Infinite, token);

        Assert.False(await node.Host.StopAsync().WaitAsync(TimeSpan.FromSeconds(20)));

        var line = Assert.Single(node.Log.Texts, line => line.Contains(said, StringComparison.Ordinal));
        Assert.StartsWith("Warning Stopped; what 1 streams have not uploaded", line, StringComparison.Ordinal);
        Assert.Contains("within 0.7 s (millrace.stop.limit.ms)", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_whose_metadata_log_another_takes_and_leaves_meanwhile_goes_on()
    {
        await using var storage = new TestStorage();
        await using (var former = await NodeUnderTest.StartAsync(storage, "object"))
        {
            await FormerWalsTests.AppendAsync(former, await FormerWalsTests.OpenNewAsync(former));
        }

        await using var other = new ControllerNode(storage);
        TakeOverAtNextUpload(storage, other);

        await using var node = await NodeUnderTest.StartAsync(storage, "object").WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Empty(await node.Node.Nodes.GetWaitingWalsAsync(TestContext.Current.CancellationToken));
        Assert.Empty(node.Incarnations.Reasons);
    }

    [Fact]
    public async Task A_stop_whose_metadata_log_another_takes_and_leaves_meanwhile_is_clean_all_the_same()
    {
        await using var storage = new TestStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "object", ("millrace.stop.limit.ms", "600000"));
        var owner = await FormerWalsTests.OpenNewAsync(node);
        await FormerWalsTests.AppendAsync(node, owner);
        await using var other = new ControllerNode(storage);
        TakeOverAtNextUpload(storage, other);

        Assert.True(await node.Node.StopAsync().WaitAsync(TimeSpan.FromSeconds(60)));
    }

    private static void TakeOverAtNextUpload(TestStorage storage, ControllerNode other)
    {
        var taken = 0;
        storage.BeforePut = async (key, _) =>
        {
            if (key.StartsWith(DataObjectKey.Prefix, StringComparison.Ordinal) && Interlocked.Exchange(ref taken, 1) == 0)
            {
                await other.StartAsync();
            }
        };
    }
}
