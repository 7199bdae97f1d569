using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// Three brokers in processes of their own, on one bucket, with their WALs in it or on devices that all of them reach: one cluster, of which any may be killed.
/// </summary>
public sealed class ClusterTests(ITestOutputHelper output)
{
    private const int Brokers = 3;
    private const int Partitions = 9;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_is_done_at_one_broker_can_be_used_at_another_at_once()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory);
        for (var i = 0; i < Brokers; i++)
        {
            var (here, there) = (cluster[i], cluster[(i + 1) % Brokers]);
            await TestTopic.CreateAsync(here.BootstrapServers, $"made-at-{i}", Partitions);
            using var load = new Load(there.BootstrapServers, $"made-at-{i}", Partitions, producers: 1);
            await load.WaitForMoreAsync(200, Limit);
            load.Stop(Limit);
            LogContent.Read(cluster[(i + 2) % Brokers].BootstrapServers, $"made-at-{i}", Partitions).AssertHolds(load.Acknowledged);
        }

        foreach (var broker in cluster)
        {
            var described = await new Shell(broker.BootstrapServers).RunAsync("cluster describe");
            Assert.Equal(Brokers, described.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }
    }

    [Fact]
    public Task Any_broker_may_be_killed_under_load_the_controllers_too_and_nothing_acknowledged_or_committed_is_lost_doubled_or_reordered() =>
        KillUnderLoadAsync(output, "object", rounds: 4);

    internal static async Task KillUnderLoadAsync(ITestOutputHelper output, string wal, int rounds)
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory, wal);
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "kills", Partitions);
        var bootstrap = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        using var load = new Load(bootstrap, "kills", Partitions, producers: 3);
        using var member = new CommittingMember(bootstrap, "kills");
        var standing = new StandingCommits(bootstrap, "kills");
        for (var round = 0; round < rounds; round++)
        {
            await load.WaitForMoreAsync(1_000, Limit);
            await member.WaitForMoreAsync(10);
            await standing.CommitAsync(round);
            var silence = new Silence(load);
            var killed = cluster[round % Brokers];
            await killed.KillAsync();
            await load.WaitForMoreAsync(5_000, Limit);
            output.WriteLine($"Round {round}: nothing was acknowledged for {(await silence.LongestAsync()).TotalMilliseconds:F0} ms");
            await member.WaitForMoreAsync(10);
            await standing.AssertAreKeptAsync();
            await cluster.RestartAsync(round % Brokers);
        }

        output.WriteLine($"The member made {member.Commits} commits, and was given its partitions {member.Rebalances} times");

        load.Stop(Limit);
        Assert.Empty(load.Failures);
        var content = LogContent.Read(cluster[1].BootstrapServers, "kills", Partitions);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
    }

    private static Task<BrokerCluster> StartAsync(TemporaryDirectory directory, string wal = "object")
    {
        var devices = Enumerable.Range(0, Brokers).Select(broker => $"block://{directory.Sub($"device{broker}")}?capacity=256MiB").ToArray();
        return BrokerCluster.StartAsync(directory, Brokers, [], broker =>
        [
            "--store", $"file://{directory.Sub("store")}", "--wal", wal == "block" ? devices[broker] : wal,
            "--set", $"millrace.wal.devices={(wal == "block" ? string.Join(',', devices.Except([devices[broker]])) : "")}",
            "--set", "group.initial.rebalance.delay.ms=0",
        ]);
    }
}
