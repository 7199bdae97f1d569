using System.Text.Json.Nodes;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>A thousand partitions that move by one command, a few at a time: what is told of them, and what a change of the controller does to them.</summary>
public sealed class ManyMovesTests(ITestOutputHelper output)
{
    private const int Brokers = 3;
    private const int Partitions = 1_000;

    // Some partitions a second, with what they hold: a third of all takes much longer than the first of them is looked for.
    private const int SlowBytesPerSecond = 10_000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_command_for_a_thousand_goes_on_under_the_next_controller_and_tells_how_far_it_is()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await BrokerCluster.StartAsync(
            directory, Brokers, "--store", $"file://{directory.Sub("store")}", "--wal", "object", "--set", "millrace.handover.partitions=5",
            "--set", "millrace.balancer.mode=off");
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        var shell = new Shell(addresses);
        var brokers = Rows(await shell.RunAsync("broker list --json"));
        var controller = Node(brokers.Single(row => (bool)row["controller"]!));
        var others = brokers.Select(Node).Where(node => node != controller).ToArray();
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "many", Partitions);
        using var load = new Load(addresses, "many", Partitions, producers: 1);
        await load.WaitForMoreAsync(3 * Partitions, Limit);

        // A broker that leads some of them is asked to take all.
        var before = await LeadersAsync(shell);
        var (from, to) = (others[0], others[1]);
        await shell.RunAsync($"config set leader.replication.throttled.rate={SlowBytesPerSecond} --broker {from} --timeout 60");
        var moving = before.Where(leader => leader.Value == from).Select(leader => leader.Key).ToHashSet();
        var command = shell.TryAsync($"partition move many --to {to} --timeout 100");
        var sawPhases = new SortedSet<string>();
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            var moves = Rows(await shell.RunAsync("partition status many --json --timeout 30")).Where(row => (int)row["from"]! == from).ToList();
            sawPhases.UnionWith(moves.Select(row => (string)row["phase"]!));
            return moves.Exists(row => (string)row["phase"]! == "done");
        }));
        await cluster.Single(broker => broker.Node == controller).KillAsync();
        var rest = new Shell(Address(cluster, to));

        // The killed one may be silent, and count as live.
        var left = Rows(await rest.TryAsync("partition status many --under-way --json --timeout 60"));
        output.WriteLine($"When the controller was killed {left.Count} were under way; seen before: {string.Join(", ", sawPhases)}");
        Assert.Contains("planned", sawPhases);
        Assert.Contains(left, row => (int)row["from"]! == from);
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (await rest.TryAsync($"config unset leader.replication.throttled.rate --broker {from} --timeout 60")).ExitCode == 0));

        // All that the living broker led is the other's, whatever the command itself heard of it.
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            var leaders = await LeadersAsync(rest);
            return leaders.Count == Partitions && leaders.Values.All(leader => leader == from || leader == to) && moving.All(one => leaders[one] == to);
        }));
        List<JsonObject> told = [];
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            told = Rows(await rest.RunAsync("partition status many --json --timeout 60"));
            return told.TrueForAll(row => row["endedMsAgo"] is not null);
        }));
        Assert.All(told.Where(row => (string)row["phase"]! == "done"), row => Assert.InRange((long)row["stopMs"]!, 0, 60_000));
        await load.WaitForMoreAsync(Partitions, Limit);
        load.Stop(Limit);
        Assert.Empty(load.Failures);
        _ = await command;
        var content = LogContent.Read(Address(cluster, to), "many", Partitions);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
    }

    private static async Task<SortedDictionary<int, int?>> LeadersAsync(Shell shell) => new(
        Rows(await shell.RunAsync("partition list --topic many --json --timeout 60"))
            .ToDictionary(row => (int)row["partition"]!, row => (int?)row["leader"]));

    private static string Address(BrokerCluster cluster, int node) => cluster.Single(broker => broker.Node == node).BootstrapServers;

    private static int Node(JsonObject row) => (int)row["node"]!;

    private static List<JsonObject> Rows(ToolResult result) => [.. result.Lines.Select(line => JsonNode.Parse(line)!.AsObject())];
}
