using Millrace.Server.Options;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>Real threads and sockets on one node whose released memory is poisoned: what the simulator, with its one thread, cannot show.</summary>
public sealed class NodeStressTests
{
    private const int Connections = 6;
    private const int Rounds = 40;
    private const int Deletions = 12;

    [Theory]
    [InlineData("file")]
    [InlineData("object")]
    public async Task Nothing_is_lost_altered_or_held_under_pipelined_parked_refused_and_abandoned_produces(string wal)
    {
        using var folder = new TemporaryDirectory();

        // A slow store and little room: most appends are parked for a while, and have their time-out there.
        await using var storage = new TestStorage
        {
            BeforePut = (key, token) => key.StartsWith("data/", StringComparison.Ordinal) ? new(Task.Delay(10, token)) : default,
        };
        await using var node = await NodeUnderTest.StartAsync(
            storage, wal == "file" ? $"file://{folder.Sub("wal")}?capacity=64MiB" : wal, Cramped, ("auto.create.topics.enable", "false"));
        var log = new StressLog(node);
        await log.CreateAsync();

        await Task.WhenAll(
            [
                .. Enumerable.Range(0, Connections).Select(i => Task.Run(() => new StressClient(node, log, i).RunAsync(Rounds))),
                Task.Run(() => log.ComeAndGoAsync(Deletions)),
            ]);
        await log.AuditAsync();

        Assert.Empty(node.Incarnations.Reasons);
        Assert.True(await node.Host.StopAsync());
        Assert.True(await Eventually.BecomesTrueAsync(() => node.HeldBytes == 0), $"{node.HeldBytes} bytes are held");
    }

    private static NodeOptions Cramped(NodeOptions options) => options with
    {
        Streams = options.Streams with
        {
            NotUploadedBytes = 512 << 10,
            UploadBytes = 128 << 10,
            UploadInterval = TimeSpan.FromMilliseconds(20),
            StreamObjectBytes = 64 << 10,
            TailCacheBytes = 256 << 10,
            BlockCacheBytes = 256 << 10,
        },
    };
}
