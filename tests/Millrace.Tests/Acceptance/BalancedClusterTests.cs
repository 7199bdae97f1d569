using System.Text.Json.Nodes;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>A cluster that evens itself: a broker that comes gets its share, under load, and no application hears of it.</summary>
public sealed class BalancedClusterTests
{
    private const int Partitions = 12;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_broker_that_joins_under_load_gets_its_share_by_itself_and_what_it_got_can_be_taken_back()
    {
        using var directory = new TemporaryDirectory();
        string[] arguments = ["--store", $"file://{directory.Sub("store")}", "--wal", "object", "--set", "millrace.balancer.mode=on"];
        await using var cluster = await BrokerCluster.StartAsync(directory, 2, arguments);
        var shell = new Shell(cluster[0].BootstrapServers);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "balanced", Partitions);
        using var load = new Load(cluster[0].BootstrapServers, "balanced", Partitions, producers: 1);
        await load.WaitForMoreAsync(500, Limit);

        await using var third = await MillraceProcess.StartAsync(directory.Sub("third"), [.. arguments, "--name", "third"]);
        Assert.True(await Eventually.BecomesTrueAsync(async () => await LeadsAsync(shell, third.Node) == Partitions / 3));
        await load.WaitForMoreAsync(500, Limit);

        var status = Assert.Single(Rows(await shell.RunAsync("balancer status --json --timeout 60")));
        Assert.Equal(("on", Partitions / 3), ((string)status["mode"]!, (int)status["moves"]!));
        var history = Rows(await shell.RunAsync("balancer history --json --timeout 60"));
        Assert.All(history, move => Assert.Equal(("fill", third.Node, true), ((string)move["goal"]!, (int)move["to"]!, (bool)move["begun"]!)));
        Assert.Equal(Partitions / 3, history.Count);

        // It would come again: what is taken back is wanted otherwise.
        await shell.RunAsync("config set millrace.balancer.mode=advise");
        Assert.Equal("advise", (string)Rows(await shell.RunAsync("balancer status --json --timeout 60"))[0]["mode"]!);
        var undone = Assert.Single(Rows(await shell.RunAsync($"balancer undo {history[0]["id"]} --json --timeout 60")));
        Assert.Equal(((int)history[0]["from"]!, true), ((int)undone["to"]!, (bool)undone["done"]!));
        Assert.Equal((Partitions / 3) - 1, await LeadsAsync(shell, third.Node));
        Assert.Equal(3, (await shell.TryAsync("balancer undo 4711")).ExitCode);

        load.Stop(Limit);
        Assert.Empty(load.Failures);
        LogContent.Read(cluster[0].BootstrapServers, "balanced", Partitions).AssertHolds(load.Acknowledged);
    }

    [Fact]
    public async Task What_it_would_move_is_shown_and_only_shown_where_it_is_to_advise()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await BrokerCluster.StartAsync(
            directory, 2, "--store", $"file://{directory.Sub("store")}", "--wal", "object", "--set", "millrace.balancer.mode=advise");
        var shell = new Shell(cluster[0].BootstrapServers);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "advised", Partitions);
        await shell.RunAsync($"partition move advised --to {cluster[0].Node} --timeout 60");

        // By the next window both brokers have told of their loads.
        Assert.True(await Eventually.BecomesTrueAsync(
            async () => Rows(await shell.RunAsync("balancer plan --json --timeout 60")).Count == Partitions / 2));
        Assert.True(await Eventually.BecomesTrueAsync(
            async () => Rows(await shell.RunAsync("balancer history --json --timeout 60")).Count == Partitions / 2));

        Assert.All(Rows(await shell.RunAsync("balancer history --json --timeout 60")), move => Assert.False((bool)move["begun"]!));
        Assert.Equal(Partitions, await LeadsAsync(shell, cluster[0].Node));
        Assert.Equal(1, (await shell.TryAsync("balancer undo 1 --timeout 60")).ExitCode);
    }

    private static async Task<int> LeadsAsync(Shell shell, int node) =>
        (int)Rows(await shell.RunAsync("broker list --json --timeout 60")).Single(row => (int)row["node"]! == node)["leads"]!;

    private static List<JsonObject> Rows(ToolResult result) => [.. result.Lines.Select(line => JsonNode.Parse(line)!.AsObject())];
}
