using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Brokers in two racks, and consumers that say which one they are in: they are served there, and by no other means get any other records.</summary>
public sealed class RackReadTests
{
    private const string Served = "millrace_followed_bytes_out_total";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task A_consumer_reads_in_its_rack_and_gets_every_record_once_while_leaders_move_and_brokers_are_killed()
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await RackedBrokers.StartAsync(directory, 16 << 20, leastInWal: 0, "a", "a", "b", "b");
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "racked", partitions: 1, replicas: 4);
        await RackedBrokers.LeadAsync("racked", cluster[0]);
        using var load = new Load(addresses, "racked", partitions: 1, producers: 2);
        using var member = new ReadingMember(addresses, "racked", "b");
        await ExpectServedInRackAsync("from the first on");

        await RackedBrokers.LeadAsync("racked", cluster[1]);
        await ExpectServedInRackAsync("after a move");

        await cluster[1].KillAsync();
        await load.WaitForMoreAsync(1_000, Limit);
        await cluster.RestartAsync(1);
        await RackedBrokers.LeadAsync("racked", cluster[0]);
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
}
