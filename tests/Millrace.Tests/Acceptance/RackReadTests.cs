using System.Globalization;
using System.Text.Json.Nodes;
using Millrace.Tests.Clients;
using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Brokers in two racks, and consumers that say which one they are in: they are served there, and by no other means get any other records.</summary>
public sealed class RackReadTests(ITestOutputHelper output)
{
    private const string Served = "millrace_followed_bytes_out_total";
    private const string Crossing = "millrace_rack_crossing_bytes_total";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task A_consumer_reads_in_its_rack_and_gets_every_record_once_while_leaders_move_and_brokers_are_killed()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory, 16 << 20, leastInWal: 0, "a", "a", "b", "b");
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "racked", partitions: 1, replicas: 4);
        var shell = new Shell(cluster[0].BootstrapServers);
        await MoveAsync(shell, "racked", cluster[0]);
        using var load = new Load(addresses, "racked", partitions: 1, producers: 2);
        using var member = new ReadingMember(addresses, "racked", "b");
        await ExpectServedInRackAsync("from the first on");

        await MoveAsync(shell, "racked", cluster[1]);
        await ExpectServedInRackAsync("after a move");

        await cluster[1].KillAsync();
        await load.WaitForMoreAsync(1_000, Limit);
        await cluster.RestartAsync(1);
        await MoveAsync(shell, "racked", cluster[0]);
        await ExpectServedInRackAsync("after its leader was killed");

        var follower = await ServedByAsync(2) > await ServedByAsync(3) ? 2 : 3;
        await cluster[follower].KillAsync();
        var before = member.Count;
        await load.WaitForMoreAsync(2_000, Limit);
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Count > before + 2_000), "The consumer reads on when its broker is killed.");

        load.Stop(Limit);
        Assert.Empty(load.Failures);
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Count == load.Count));
        member.Stop();
        member.AssertRead(load.Acknowledged);
        Assert.Equal(1, member.Rebalances);

        async Task ExpectServedInRackAsync(string when)
        {
            var (read, served) = (member.Count, await ServedByAsync(2) + await ServedByAsync(3));

            // Who has come back to a leader is served there for 65 seconds.
            var looks = 3;
            while (!await Eventually.BecomesTrueAsync(
                async () => member.Count > read + 1_000 && await ServedByAsync(2) + await ServedByAsync(3) > served + 50_000))
            {
                Assert.True(--looks > 0, $"The consumer is served in its rack {when}.");
            }
        }

        async Task<double> ServedByAsync(int broker) => (await Scrape.OfAsync(Http, cluster[broker].Http)).Sum(Served);
    }

    [Theory]
    [InlineData(16 << 20, 0, 0.01, 0.4)]
    [InlineData(16 << 20, 1, 0, 0.05)]
    [InlineData(0, 0, 0, 0.05)]
    public async Task What_consumers_of_two_racks_read_crosses_between_them_once_at_most_or_not_at_all(
        int followedBytes, int leastInWal, double least, double most)
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await StartAsync(directory, followedBytes, leastInWal, "a", "b");
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "counted", partitions: 1, replicas: 2);
        await MoveAsync(new Shell(cluster[0].BootstrapServers), "counted", cluster[0]);
        using var near = new ReadingMember(addresses, "counted", "a");
        using var far = new ReadingMember(addresses, "counted", "b");

        // Of another group: what crosses for the one is there for the other.
        using var farther = new ReadingMember(addresses, "counted", "b", "second");
        using var load = new Load(addresses, "counted", partitions: 1, producers: 1, recordBytes: 10_000);
        await load.WaitForMoreAsync(10_000, Limit);
        load.Stop(Limit);
        Assert.True(await Eventually.BecomesTrueAsync(() => near.Count == load.Count && far.Count == load.Count && farther.Count == load.Count));
        near.Stop();
        far.Stop();
        farther.Stop();
        near.AssertRead(load.Acknowledged);
        far.AssertRead(load.Acknowledged);
        farther.AssertRead(load.Acknowledged);

        var leader = await Scrape.OfAsync(Http, cluster[0].Http);
        var follower = await Scrape.OfAsync(Http, cluster[1].Http);
        var consumed = leader.Sum("millrace_bytes_out_total") + follower.Sum("millrace_bytes_out_total");
        foreach (var reason in new[] { "produce", "fetch", "follow" })
        {
            Say($"across racks, {reason}", leader.Sum(Crossing, $"reason=\"{reason}\"") + follower.Sum(Crossing, $"reason=\"{reason}\""));
        }

        foreach (var source in new[] { "tail", "objects", "leader" })
        {
            Say($"served in the other rack, {source}", follower.Sum(Served, $"from=\"{source}\""));
        }

        Assert.InRange((leader.Sum(Crossing) + follower.Sum(Crossing)) / consumed, least, most);
        Assert.InRange(follower.Sum(Served), load.Count * 20_000, load.Count * 22_000);

        void Say(string what, double bytes) => output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{what}: {bytes / 1e6:F1} MB, {bytes / consumed:F3} of what is consumed"));
    }

    private static Task<BrokerCluster> StartAsync(TemporaryDirectory directory, int followedBytes, int leastInWal, params string[] racks) =>
        BrokerCluster.StartAsync(
            directory,
            racks.Length,
            [],
            index =>
            [
                "--store", $"file://{directory.Sub("store")}", "--wal", "object", "--set", $"broker.rack={racks[index]}",
                "--set", "auto.leader.rebalance.enable=false",
                "--set", $"millrace.followed.max.bytes={followedBytes}", "--set", $"millrace.followed.wal.bytes={leastInWal}",
            ]);

    private static async Task MoveAsync(Shell shell, string topic, MillraceProcess to)
    {
        if ((int)JsonNode.Parse((await shell.RunAsync($"partition list --topic {topic} --json")).Lines[0])!["leader"]! != to.Node)
        {
            await shell.RunAsync($"partition move {topic}:0 --to {to.Node} --timeout 60");
        }
    }
}
