using System.Text.Json.Nodes;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Brokers that are emptied, restarted and filled again, one after another, under load: no application hears of it.</summary>
public sealed class DrainTests
{
    private const int Brokers = 3;
    private const int Partitions = 9;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_rolling_restart_by_its_plan_drains_each_broker_and_gives_it_its_share_back()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "rolling", Partitions);
        using var load = new Load(Addresses(cluster), "rolling", Partitions, producers: 2);
        using var member = new ReadingMember(Addresses(cluster), "rolling");
        await load.WaitForMoreAsync(1_000, Limit);
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Count > 0));

        var plan = Rows(await new Shell(cluster[0].BootstrapServers).RunAsync("cluster restart-plan --json --timeout 60"));
        Assert.Equal(Enumerable.Range(1, Brokers), plan.Select(row => (int)row["step"]!));
        Assert.Equal([false, false, true], plan.Select(row => (bool)row["controller"]!));
        foreach (var node in plan.Select(row => (int)row["node"]!).ToArray())
        {
            var index = Index(cluster, node);
            var elsewhere = new Shell(cluster[(index + 1) % Brokers].BootstrapServers);
            Assert.Equal((node, "drained", 0), Told(await elsewhere.RunAsync($"broker drain {node} --wait --json --timeout 60")));
            Assert.Equal((0, "drained"), await LeadsAsync(elsewhere, node));
            Assert.Equal(0, await cluster[index].StopAsync());
            await cluster.RestartAsync(index);
            await load.WaitForMoreAsync(200, Limit);
            Assert.Equal((0, "drained"), await LeadsAsync(elsewhere, node));

            // Of the topic a third; of __consumer_offsets, too.
            var (_, duty, leads) = Told(await elsewhere.RunAsync($"broker undrain {node} --wait --json --timeout 60"));
            Assert.Equal("all", duty);
            Assert.InRange(leads, (Partitions + 50) / Brokers, ((Partitions + 50) / Brokers) + 1);
            await load.WaitForMoreAsync(500, Limit);
        }

        load.Stop(Limit);
        Assert.Empty(load.Failures);
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Count == load.Count));
        member.Stop();
        Assert.Equal(1, member.Rebalances);
        var content = LogContent.Read(cluster[1].BootstrapServers, "rolling", Partitions);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
    }

    [Fact]
    public async Task A_broker_that_is_stopped_and_started_leads_its_share_again_by_itself_unless_it_is_told_not_to()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await BrokerCluster.StartAsync(
            directory, Brokers, [],
            index => [.. Arguments(directory), "--set", $"auto.leader.rebalance.enable={(index == 2 ? "false" : "true")}"]);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "own", Partitions);
        var shell = new Shell(cluster[0].BootstrapServers);

        Assert.Equal(0, await cluster[1].StopAsync());
        await cluster.RestartAsync(1);
        Assert.True(await Eventually.BecomesTrueAsync(async () => await LeadsAsync(shell, cluster[1].Node) == (Partitions / Brokers, "all")));

        Assert.Equal(0, await cluster[2].StopAsync());
        await cluster.RestartAsync(2);
        await shell.RunAsync("produce own --timeout 60", "one\ntwo\nthree\n");
        Assert.Equal((0, "all"), await LeadsAsync(shell, cluster[2].Node));
    }

    [Fact]
    public async Task Cordoned_brokers_get_nothing_new_as_Kafkas_config_has_it_and_the_last_is_not_drained()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var shell = new Shell(cluster[0].BootstrapServers);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "before", Partitions);

        Assert.Equal((cluster[0].Node, "cordoned", Partitions / Brokers), Told(await shell.RunAsync("broker cordon --self --json")));
        await shell.RunAsync($"config set cordoned.log.dirs=* --broker {cluster[1].Node}");
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "after", Partitions);

        Assert.Equal((Partitions / Brokers, "cordoned"), await LeadsAsync(shell, cluster[0].Node));
        Assert.Equal(((Partitions / Brokers) + Partitions, "all"), await LeadsAsync(shell, cluster[2].Node));

        await shell.RunAsync("broker drain broker0 --wait --timeout 60");
        await shell.RunAsync("broker drain broker1 --wait --timeout 60");
        var refused = await shell.TryAsync("broker drain broker2");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("no other broker lives", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(2, (await shell.TryAsync("broker drain")).ExitCode);
        Assert.Equal(2, (await shell.TryAsync("broker drain broker0 --self")).ExitCode);
        Assert.Equal(1, (await shell.TryAsync("cluster restart-plan")).ExitCode);
    }

    private static Task<BrokerCluster> StartAsync(TemporaryDirectory directory) => BrokerCluster.StartAsync(directory, Brokers, Arguments(directory));

    private static string[] Arguments(TemporaryDirectory directory) => ["--store", $"file://{directory.Sub("store")}", "--wal", "object"];

    private static string Addresses(BrokerCluster cluster) => string.Join(',', cluster.Select(broker => broker.BootstrapServers));

    private static int Index(BrokerCluster cluster, int node) =>
        cluster.Select((broker, index) => (broker.Node, index)).First(broker => broker.Node == node).index;

    private static (int Node, string Duty, int Leads) Told(ToolResult result)
    {
        var row = Assert.Single(Rows(result));
        return ((int)row["node"]!, (string)row["duty"]!, (int)row["leads"]!);
    }

    private static async Task<(int Leads, string Duty)> LeadsAsync(Shell shell, int node)
    {
        var row = Rows(await shell.RunAsync("broker list --json")).Single(row => (int)row["node"]! == node);
        return ((int)row["leads"]!, (string)row["duty"]!);
    }

    private static List<JsonObject> Rows(ToolResult result) => [.. result.Lines.Select(line => JsonNode.Parse(line)!.AsObject())];
}
