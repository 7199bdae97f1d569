using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// A broker killed with -9 under load, again and again. MILLRACE_TEST_KILLS sets how often (3 if not given; the full
/// form is 20).
/// </summary>
public sealed class KillTests
{
    private const int Partitions = 6;

    private static int Kills => int.Parse(Environment.GetEnvironmentVariable("MILLRACE_TEST_KILLS") ?? "3");

    [Theory]
    [InlineData("file")]
    [InlineData("object")]
    public async Task Nothing_acknowledged_is_lost_doubled_or_reordered_when_the_broker_is_killed_under_load(string wal)
    {
        using var directory = new TemporaryDirectory();
        string[] arguments = ["--wal", wal == "file" ? $"file://{directory.Sub("wal")}" : wal];
        var broker = await MillraceProcess.StartAsync(directory.Sub("data"), arguments);
        try
        {
            await TestTopic.CreateAsync(broker.BootstrapServers, "kills", Partitions);
            using var load = new Load(broker.BootstrapServers, "kills", Partitions, producers: 3);
            for (var kill = 0; kill < Kills; kill++)
            {
                await load.WaitForMoreAsync(500 + (kill * 37), TimeSpan.FromSeconds(60));
                await broker.KillAsync();
                broker = await MillraceProcess.StartAsync(directory.Sub("data"), [.. arguments, "--listen", broker.BootstrapServers]);
            }

            await load.WaitForMoreAsync(500, TimeSpan.FromSeconds(60));
            load.Stop(TimeSpan.FromSeconds(60));

            Assert.Empty(load.Failures);
            var content = LogContent.Read(broker.BootstrapServers, "kills", Partitions);
            content.AssertHolds(load.Acknowledged);
            Assert.Equal(load.Count, content.Count);
        }
        finally
        {
            await broker.DisposeAsync();
        }
    }
}
