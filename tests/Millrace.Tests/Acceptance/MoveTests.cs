using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using Millrace.Protocol;
using Millrace.Server.Cli;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// Partitions that move between three brokers in processes of their own, under load: nothing is lost, doubled or reordered, and no application hears of it.
/// MILLRACE_TEST_MOVES sets how often (20 if not given).
/// </summary>
public sealed partial class MoveTests(ITestOutputHelper output)
{
    private const int Brokers = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // On a machine that has nothing else to do it is a twentieth of that.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(5);

    // What a rate is that nobody has set.
    private static readonly string Unlimited = long.MaxValue.ToString(CultureInfo.InvariantCulture);

    private static int Moves => int.Parse(Environment.GetEnvironmentVariable("MILLRACE_TEST_MOVES") ?? "8", CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_partition_under_load_moves_from_broker_to_broker_and_neither_its_producers_nor_a_group_hear_of_it()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "moving", partitions: 1);
        using var load = new Load(addresses, "moving", partitions: 1, producers: 2);
        using var member = new ReadingMember(addresses, "moving");
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Commits > 0));
        var shell = new Shell(cluster[0].BootstrapServers);
        var gaps = new List<double>();
        for (var move = 0; move < Moves; move++)
        {
            await load.WaitForMoreAsync(500, Limit);
            var silence = new Silence(load);
            await shell.RunAsync($"partition move moving:0 --to {cluster[NextAfter(await LeaderAsync(shell, "moving"), cluster)].Node} --timeout 60");
            await load.WaitForMoreAsync(500, Limit);
            gaps.Add((await silence.LongestAsync()).TotalMilliseconds);
        }

        load.Stop(Limit);
        var stops = Stops(cluster, "moving-0");
        output.WriteLine($"Stops as the brokers measure them, in ms: {Told(stops)}");
        output.WriteLine($"Longest times without an acknowledgement, in ms: {Told(gaps)}");
        Assert.Equal(Moves, stops.Count);
        Assert.All(stops, stop => Assert.InRange(stop, 0, LongestStop.TotalMilliseconds));
        Assert.Empty(load.Failures);
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Count == load.Count));
        member.Stop();
        member.AssertRead(load.Acknowledged);
        Assert.Equal((0, 1), (member.Failures.Count, member.Rebalances));
        var content = LogContent.Read(cluster[1].BootstrapServers, "moving", partitions: 1);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
    }

    [Fact]
    public async Task Coordinators_move_and_their_groups_go_on_without_being_rebalanced()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "grouped", partitions: 1);
        using var load = new Load(addresses, "grouped", partitions: 1, producers: 1);
        using var member = new ReadingMember(addresses, "grouped");
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Commits > 0));
        var shell = new Shell(cluster[0].BootstrapServers);
        for (var to = 0; to < Brokers; to++)
        {
            // All 50: whichever the group's is.
            await shell.RunAsync($"partition move __consumer_offsets --to broker{to} --timeout 60");
            var commits = member.Commits;
            Assert.True(await Eventually.BecomesTrueAsync(() => member.Commits > commits + 5));
        }

        load.Stop(Limit);
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Count == load.Count));
        member.Stop();
        member.AssertRead(load.Acknowledged);
        Assert.Equal(1, member.Rebalances);
        Assert.All(
            Rows(await shell.RunAsync("partition list --topic __consumer_offsets --json")),
            row => Assert.Equal(cluster[Brokers - 1].Node, (int)row["leader"]!));
    }

    [Fact]
    public async Task A_broker_that_is_stopped_hands_over_what_it_leads_first()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "stopped", partitions: 9);
        using var load = new Load(addresses, "stopped", partitions: 9, producers: 2);
        await load.WaitForMoreAsync(1_000, Limit);

        // The controller's, too.
        var silence = new Silence(load);
        foreach (var broker in cluster.Take(2))
        {
            Assert.Equal(0, await broker.StopAsync());
            // The second one has some of the first one's by then.
            Assert.InRange(StopLine().Matches(broker.Log).Sum(line => int.Parse(line.Groups["count"].Value, CultureInfo.InvariantCulture)), 3, 5);
            await load.WaitForMoreAsync(1_000, Limit);
        }

        output.WriteLine($"Nothing was acknowledged for {(await silence.LongestAsync()).TotalMilliseconds:F0} ms");
        load.Stop(Limit);
        Assert.Empty(load.Failures);
        var content = LogContent.Read(cluster[2].BootstrapServers, "stopped", partitions: 9);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
    }

    [Fact]
    public async Task Kafkas_own_tools_reassign_partitions_and_elect_leaders()
    {
        var tools = Repository.Shared("peers/kafka/kafka.sh");
        Assert.SkipWhen(tools is null || !Tool.IsInstalled("java"), "Apache Kafka's tools, or Java, are not at hand");
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var (a, b, c) = (cluster[0].Node, cluster[1].Node, cluster[2].Node);
        await new Shell(cluster[0].BootstrapServers).RunAsync("topic create tools -p 2 --replication-factor 2");
        using var load = new Load(cluster[0].BootstrapServers, "tools", partitions: 2, producers: 1);
        await load.WaitForMoreAsync(100, Limit);
        var plan = directory.Sub("plan.json");
        await File.WriteAllTextAsync(plan, Plan(a, b));

        Assert.Contains(
            "Successfully started",
            await JavaAsync("reassign", "--reassignment-json-file", plan, "--execute", "--throttle", "50000000"),
            StringComparison.Ordinal);
        await AssertRateAsync(a, "50000000");
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            CompletedLine().Count(await JavaAsync("reassign", "--reassignment-json-file", plan, "--verify")) == 2));
        await AssertRateAsync(a, Unlimited);
        Assert.Contains("No partition reassignments found", await JavaAsync("reassign", "--list"), StringComparison.Ordinal);
        await JavaAsync("leader-election", "--election-type", "preferred", "--all-topic-partitions");
        await AssertLeaderAsync(a);

        await File.WriteAllTextAsync(plan, Plan(b, a));
        await JavaAsync("reassign", "--reassignment-json-file", plan, "--execute");
        await JavaAsync("leader-election", "--election-type", "preferred", "--topic", "tools", "--partition", "0");
        await JavaAsync("leader-election", "--election-type", "unclean", "--topic", "tools", "--partition", "1");
        await AssertLeaderAsync(b);

        // One of them goes, and uses up the rate for as long as the test runs; the other is on its way.
        var shell = new Shell(cluster[1].BootstrapServers);
        await shell.RunAsync($"config set leader.replication.throttled.rate=1 --broker {b}");
        await File.WriteAllTextAsync(plan, Plan(a, c));
        await JavaAsync("reassign", "--reassignment-json-file", plan, "--execute");
        var waiting = 0;
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            var waits = Rows(await shell.RunAsync("partition list --topic tools --json")).Where(row => (int?)row["leader"] == b).ToList();
            waiting = waits.Count == 1 ? (int)waits[0]["partition"]! : -1;
            return waiting >= 0;
        }));
        var listed = await JavaAsync("reassign", "--list");
        Assert.Contains($"tools-{waiting}: replicas: ", listed, StringComparison.Ordinal);
        Assert.Contains($" removing: {b}.", listed, StringComparison.Ordinal);
        Assert.Contains(
            $"Successfully cancelled partition reassignment for: tools-{waiting}",
            await JavaAsync("reassign", "--reassignment-json-file", plan, "--cancel"),
            StringComparison.Ordinal);
        await AssertRateAsync(b, Unlimited);
        Assert.Contains("No partition reassignments found", await JavaAsync("reassign", "--list"), StringComparison.Ordinal);
        Assert.Equal(b, (int)Rows(await shell.RunAsync("partition list --topic tools --json"))[waiting]["leader"]!);

        load.Stop(Limit);
        Assert.Empty(load.Failures);
        LogContent.Read(cluster[2].BootstrapServers, "tools", partitions: 2).AssertHolds(load.Acknowledged);

        Task<string> JavaAsync(string tool, params string[] arguments) =>
            Tool.RunAsync(tools!, [tool, "--bootstrap-server", cluster[2].BootstrapServers, .. arguments], "", TimeSpan.FromMinutes(2));

        static string Plan(int first, int second) =>
            $$"""{"version": 1, "partitions": [{"topic": "tools", "partition": 0, "replicas": [{{first}}, {{second}}]},"""
            + $$""" {"topic": "tools", "partition": 1, "replicas": [{{first}}, {{second}}]}]}""";

        // --verify takes it back when all is done, and --cancel at once.
        async Task AssertRateAsync(int node, string rate)
        {
            var told = await new Shell(cluster[1].BootstrapServers).RunAsync($"config get leader.replication.throttled.rate --broker {node} --json");
            Assert.Equal(rate, (string)Rows(told)[0]["value"]!);
        }

        async Task AssertLeaderAsync(int node) => Assert.All(
            Rows(await new Shell(cluster[1].BootstrapServers).RunAsync("partition list --topic tools --json")),
            row => Assert.Equal(node, (int)row["leader"]!));
    }

    [Fact]
    public async Task A_move_that_is_under_way_is_cancelled_and_its_leader_goes_on()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var shell = new Shell(cluster[0].BootstrapServers);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "kept", partitions: 6);
        using var load = new Load(cluster[0].BootstrapServers, "kept", partitions: 6, producers: 1);
        await load.WaitForMoreAsync(1_000, Limit);
        var ofOne = Rows(await shell.RunAsync("partition list --topic kept --json")).GroupBy(row => (int)row["leader"]!).First(group => group.Count() > 1);
        var (from, first, second) = (ofOne.Key, (int)ofOne.First()["partition"]!, (int)ofOne.Last()["partition"]!);
        var to = cluster.First(broker => broker.Node != from).Node;

        // The first uses up the rate for as long as the test runs, so that the second is on its way until it is cancelled.
        await shell.RunAsync($"config set leader.replication.throttled.rate=1 --broker {from}");
        await shell.RunAsync($"partition move kept:{first} --to {to} --timeout 60");
        var moving = shell.TryAsync($"partition move kept:{second} --to {to} --timeout 30");
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            Rows(await shell.RunAsync("partition status kept --under-way --json")) is [var only] && (string)only["phase"]! == "planned"));

        var cancelled = await shell.RunAsync("partition move kept --cancel --json");
        Assert.Equal([second], Rows(cancelled).Where(row => (bool)row["cancelled"]!).Select(row => (int)row["partition"]!));
        Assert.Equal(from, (int)Rows(cancelled)[second]["leader"]!);
        Assert.Contains($"kept:{string.Join(',', Enumerable.Range(0, 6).Except([second]))}.", cancelled.Errors, StringComparison.Ordinal);
        await shell.RunAsync($"config unset leader.replication.throttled.rate --broker {from}");
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (string)Rows(await shell.RunAsync($"partition status kept:{second} --json"))[0]["phase"]! == "cancelled"));
        await load.WaitForMoreAsync(1_000, Limit);
        Assert.Equal(from, (int)Rows(await shell.RunAsync("partition list --topic kept --json"))[second]["leader"]!);
        Assert.DoesNotContain("true", (await shell.RunAsync("partition move kept --cancel --json")).Output, StringComparison.Ordinal);

        Assert.NotEqual(0, (await moving).ExitCode);
        load.Stop(Limit);
        Assert.Empty(load.Failures);
        var content = LogContent.Read(cluster[2].BootstrapServers, "kept", partitions: 6);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
    }

    [Fact]
    public async Task What_one_leader_says_of_epochs_and_of_the_log_start_the_next_one_says_too()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var shell = new Shell(cluster[0].BootstrapServers);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "epochs", partitions: 1);
        var end = 0;
        for (var move = 0; move < Brokers; move++)
        {
            await shell.RunAsync("produce epochs --timeout 60", "one\ntwo\nthree\n");
            end += 3;
            if (move < 2)
            {
                // All in the first epoch, whose end would be another without them.
                await shell.RunAsync($"topic trim epochs --before {move + 1} --timeout 60");
            }

            var leader = await LeaderAsync(shell, "epochs");
            var before = (await EpochEndsAsync(cluster, leader)).Where(epoch => epoch.Epoch >= 0).ToList();
            Assert.Equal((move + 1, end), (before.DistinctBy(epoch => epoch.Epoch).Count(), before[^1].End));
            var next = cluster[NextAfter(leader, cluster)].Node;
            await shell.RunAsync($"partition move epochs --to {next} --timeout 60");

            var after = await EpochEndsAsync(cluster, next);
            Assert.Equal(before, after.Take(before.Count));
            var told = Rows(await shell.RunAsync("topic describe epochs --json --timeout 60"))[0];
            Assert.Equal((Math.Min(move + 1, 2), end), ((int)told["logStartOffset"]!, (int)told["highWatermark"]!));
        }
    }

    [Fact]
    public async Task What_cannot_be_moved_is_said_and_what_is_there_already_is_done()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        var shell = new Shell(cluster[0].BootstrapServers);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "still", partitions: 2);
        Assert.Equal(3, (await shell.TryAsync("partition move none --to broker1")).ExitCode);
        Assert.Equal(3, (await shell.TryAsync("partition move still:2 --to broker1")).ExitCode);
        Assert.Equal(3, (await shell.TryAsync("partition move still --to broker9")).ExitCode);
        Assert.Equal(2, (await shell.TryAsync("partition move still:x --to broker1")).ExitCode);
        Assert.Equal(2, (await shell.TryAsync("partition move still")).ExitCode);
        Assert.Equal(2, (await shell.TryAsync("partition move still --to broker1 --cancel")).ExitCode);
        Assert.Equal(3, (await shell.TryAsync("partition move none --cancel")).ExitCode);

        for (var round = 0; round < 2; round++)
        {
            var rows = Rows(await shell.RunAsync("partition move still --to broker1 --json --timeout 60"));
            Assert.All(rows, row => Assert.Equal((cluster[1].Node, true), ((int)row["to"]!, (bool)row["done"]!)));
            Assert.Equal([0, 1], rows.Select(row => (int)row["partition"]!));
        }

        await cluster[2].KillAsync();
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (await shell.TryAsync("partition move still --to broker2")) is { ExitCode: 1 } refused
            && refused.Errors.Contains("can lead nothing", StringComparison.Ordinal)));
    }

    // Nobody but these tests moves anything: half a minute after all has gone to one broker, the balancer would.
    private static Task<BrokerCluster> StartAsync(TemporaryDirectory directory) => BrokerCluster.StartAsync(
        directory, Brokers, "--store", $"file://{directory.Sub("store")}", "--wal", "object", "--set", "millrace.balancer.mode=off");

    private static async Task<int> LeaderAsync(Shell shell, string topic) =>
        (int)Rows(await shell.RunAsync($"partition list --topic {topic} --json"))[0]["leader"]!;

    /// <summary>What a broker answers about the ends of the partition's first epochs, of which some are still to come.</summary>
    private static async Task<List<(int Epoch, long End)>> EpochEndsAsync(BrokerCluster cluster, int node)
    {
        var config = new ClientConfig { BootstrapServers = cluster.Single(broker => broker.Node == node).BootstrapServers };
        var ends = new List<(int Epoch, long End)>();
        for (var epoch = 0; epoch < 2 * Brokers; epoch++)
        {
            var answer = await DirectQuestion.AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
                config, new() { Topics = [new() { Topic = "epochs", Partitions = [new() { Partition = 0, LeaderEpoch = epoch }] }] }, Limit, default);
            var told = answer!.Topics[0].Partitions[0];
            Assert.Equal(0, told.ErrorCode);
            ends.Add((told.LeaderEpoch, told.EndOffset));
        }

        return ends;
    }

    private static int NextAfter(int leader, BrokerCluster cluster) =>
        (cluster.Select((broker, index) => (broker.Node, index)).First(broker => broker.Node == leader).index + 1) % Brokers;

    private static List<double> Stops(BrokerCluster cluster, string partition) =>
    [
        .. cluster.SelectMany(broker => StopLine().Matches(broker.Log))
            .Where(line => line.Groups["partitions"].Value.StartsWith($"{partition} to node", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Groups["stop"].Value, CultureInfo.InvariantCulture)),
    ];

    private static string Told(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return $"p50 {sorted[sorted.Length / 2]:F1}, largest {sorted[^1]:F1}; {string.Join(' ', sorted.Select(value => $"{value:F1}"))}";
    }

    private static List<JsonObject> Rows(ToolResult result) => [.. result.Lines.Select(line => JsonNode.Parse(line)!.AsObject())];

    [GeneratedRegex(@"(?<count>\d+) partitions were handed over after a stop of (?<stop>[\d.]+) ms: (?<partitions>.*)")]
    private static partial Regex StopLine();

    [GeneratedRegex("^Reassignment of partition .* is completed", RegexOptions.Multiline)]
    private static partial Regex CompletedLine();
}
