using System.Text.Json.Nodes;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>What the command line shows of brokers that come and go, and of what waits for them.</summary>
public sealed class BrokerCommandsTests
{
    [Fact]
    public async Task A_broker_that_is_gone_is_shown_until_it_is_removed()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await BrokerCluster.StartAsync(directory, 3, "--store", $"file://{directory.Sub("store")}", "--wal", "object");
        await TestTopic.CreateAsync(cluster[1].BootstrapServers, "gone", partitions: 6);
        var shell = new Shell(cluster[0].BootstrapServers);
        Assert.All(Rows(await shell.RunAsync("broker list --json")), row => Assert.Equal(("live", 2), ((string)row["state"]!, (int)row["leads"]!)));
        Assert.True((bool)Rows(await shell.RunAsync("cluster health --json"))[0]["healthy"]!);

        var gone = cluster[2];
        var refused = await shell.TryAsync($"broker remove {gone.Node}");
        Assert.Equal((1, true), (refused.ExitCode, refused.Errors.Contains("is alive", StringComparison.Ordinal)));
        await gone.KillAsync();
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (string)Rows(await shell.RunAsync("broker describe broker2 --json"))[0]["state"]! == "fenced"
            && (await shell.TryAsync("partition list --unavailable")).Output.Length == 0
            && (await shell.TryAsync("cluster health")).ExitCode == 1));
        var plan = await shell.TryAsync("cluster restart-plan");
        Assert.Equal((1, ""), (plan.ExitCode, plan.Output));
        Assert.Contains($"Gone without having left: {gone.Node}.", plan.Errors, StringComparison.Ordinal);
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await shell.TryAsync("broker remove broker2")).ExitCode == 0));

        Assert.Equal(3, (await shell.TryAsync($"broker describe {gone.Node}")).ExitCode);
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (await new Shell(cluster[1].BootstrapServers).TryAsync("cluster health")).ExitCode == 0));
        await cluster.RestartAsync(2);
        Assert.NotEqual(gone.Node, cluster[2].Node);
    }

    [Fact]
    public async Task A_broker_that_has_left_in_good_order_is_nothing_amiss()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await BrokerCluster.StartAsync(directory, 2, "--store", $"file://{directory.Sub("store")}", "--wal", "object");
        var shell = new Shell(cluster[0].BootstrapServers);
        Assert.Equal(0, await cluster[1].StopAsync());

        var health = Rows(await shell.RunAsync("cluster health --json"))[0];
        Assert.Equal((1, 0, 1), ((int)health["live"]!, (int)health["fenced"]!, (int)health["stopped"]!));
    }

    [Fact]
    public async Task Partitions_without_a_leader_are_shown_with_the_WAL_and_the_broker_that_they_wait_for()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await BrokerCluster.StartAsync(directory, 2, "--store", $"file://{directory.Sub("store")}");
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "waits", partitions: 2);
        using (var load = new Load($"{cluster[0].BootstrapServers},{cluster[1].BootstrapServers}", "waits", partitions: 2, producers: 1))
        {
            await load.WaitForMoreAsync(100, TimeSpan.FromSeconds(60));
            load.Stop(TimeSpan.FromSeconds(60));
        }

        // As on a machine of its own: the file is not where the other broker can look.
        var (wal, elsewhere) = (directory.Sub("broker1/wal"), directory.Sub("elsewhere"));
        Directory.Move(wal, elsewhere);
        await cluster[1].KillAsync();
        var shell = new Shell(cluster[0].BootstrapServers);
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await shell.TryAsync("cluster health")).ExitCode == 7));

        var plan = await shell.TryAsync("cluster restart-plan");
        Assert.Equal((7, ""), (plan.ExitCode, plan.Output));
        Assert.Contains($"of broker {cluster[1].Node} waits for its recovery", plan.Errors, StringComparison.Ordinal);

        var waiting = Assert.Single(Rows(await shell.RunAsync("partition list --topic waits --unavailable --json")));
        Assert.Equal(cluster[1].Node, (int)waiting["waitsForNode"]!);
        Assert.Contains(wal, (string)waiting["walLocation"]!, StringComparison.Ordinal);
        Assert.Equal((cluster[1].Node, false), ((int)waiting["recoveredBy"]!, (bool)waiting["damaged"]!));
        Assert.Equal(
            [(string)waiting["wal"]!],
            Rows(await shell.RunAsync("broker describe broker1 --json"))[0]["waitingWals"]!.AsArray().Select(id => (string)id!));
        Assert.Contains("--accept-loss", (await shell.TryAsync("broker remove broker1")).Errors, StringComparison.Ordinal);

        Directory.Move(elsewhere, wal);
        await cluster.RestartAsync(1);
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await shell.TryAsync("cluster health")).ExitCode == 0));
        Assert.Equal(0, (await shell.TryAsync("cluster restart-plan")).ExitCode);
    }

    private static List<JsonObject> Rows(ToolResult result) => [.. result.Lines.Select(line => JsonNode.Parse(line)!.AsObject())];
}
