using Millrace.ObjectStorage.File;
using Millrace.Tests.Clients;
using Millrace.Tests.Controller;
using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>A broker under load, in a process of its own, whose metadata log another one takes over and leaves.</summary>
public sealed class FencedNodeTests(ITestOutputHelper output)
{
    private const int Partitions = 4;
    private const int Rounds = 2;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("file")]
    [InlineData("object")]
    public async Task A_fenced_broker_serves_on_in_the_same_process_and_nothing_acknowledged_is_lost_or_doubled(string wal)
    {
        using var directory = new TemporaryDirectory();
        await using var broker = await MillraceProcess.StartAsync(directory.Sub("data"), "--wal", wal == "file" ? $"file://{directory.Sub("wal")}" : wal);
        await TestTopic.CreateAsync(broker.BootstrapServers, "fenced", Partitions);
        using var http = new HttpClient { Timeout = Limit };
        using var load = new Load(broker.BootstrapServers, "fenced", Partitions, producers: 3);
        for (var round = 1; round <= Rounds; round++)
        {
            await load.WaitForMoreAsync(500, Limit);
            var silence = new Silence(load);
            await TakeOverAndLeaveAsync(directory.Sub("data"), registers: round % 2 == 0);
            Assert.True(await Eventually.BecomesTrueAsync(() => Replacements(broker) == round / 2), broker.Log);
            await load.WaitForMoreAsync(500, Limit);
            output.WriteLine($"WAL {wal}: nothing was acknowledged for {(await silence.LongestAsync()).TotalMilliseconds:F0} ms");
        }

        Assert.Equal("ok\n", await http.GetStringAsync(new Uri(broker.Http, "/readyz")));
        var seen = await Scrape.OfAsync(http, broker.Http);
        Assert.Equal((1, 192 << 20), (seen.Sum("millrace_brokers"), seen.Sum("millrace_streams_not_uploaded_limit_bytes")));
        Assert.Equal(["committed", "led", "read", "sealed"], seen.LabelValues("phase").Distinct().Order());

        try
        {
            load.Stop(Limit);
        }
        finally
        {
            output.WriteLine(broker.Log);
            output.WriteLine(await http.GetStringAsync(new Uri(broker.Http, "/metrics")));
        }

        Assert.Empty(load.Failures);
        var content = LogContent.Read(broker.BootstrapServers, "fenced", Partitions);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
        Assert.Equal(0, await broker.StopAsync());
    }

    private static int Replacements(MillraceProcess broker) => broker.Log.Split("has taken the place of the former incarnation").Length - 1;

    private static async Task TakeOverAndLeaveAsync(string data, bool registers)
    {
        using var node = new RealNode();
        await using var storage = await FileObjectStorage.OpenAsync(node.Runtime, Path.Combine(data, "store"), CancellationToken.None);
        await using var other = new ControllerNode(storage);
        var controller = await other.StartAsync();
        if (registers)
        {
            var broker = Assert.Single(controller.Metadata.Image.LiveNodes);
            await controller.RegisterAsync(other.Registration with { Name = broker.Name }, CancellationToken.None);
        }
    }
}
