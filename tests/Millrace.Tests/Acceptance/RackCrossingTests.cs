using System.Globalization;
using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// How much crosses between racks. Nothing runs beside it: where a machine is too full to answer in time, consumers are served by leaders, as they should be.
/// </summary>
[Collection(AloneTestGroup.Name)]
public sealed class RackCrossingTests(ITestOutputHelper output)
{
    private const string Served = "millrace_followed_bytes_out_total";
    private const string Crossing = "millrace_rack_crossing_bytes_total";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new();

    [Theory]
    [InlineData(16 << 20, 0, 0.3, 0.4)]
    [InlineData(16 << 20, 1, 0, 0.05)]
    [InlineData(0, 0, 0, 0.05)]
    public async Task What_consumers_of_two_racks_read_crosses_between_them_once_at_most_or_not_at_all(
        int followedBytes, int leastInWal, double least, double most)
    {
        using var directory = new TemporaryDirectory();
        await using var cluster = await RackedBrokers.StartAsync(directory, followedBytes, leastInWal, "a", "b");
        var addresses = string.Join(',', cluster.Select(broker => broker.BootstrapServers));
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "counted", partitions: 1, replicas: 2);
        await RackedBrokers.LeadAsync("counted", cluster[0]);
        using var near = new ReadingMember(addresses, "counted", "a");
        using var far = new ReadingMember(addresses, "counted", "b");

        // Of another group: what crosses for the one is there for the other.
        using var farther = new ReadingMember(addresses, "counted", "b", "second");

        // What is there before they are is read at the leader, but for what is uploaded.
        Assert.True(await Eventually.BecomesTrueAsync(() => near.Rebalances > 0 && far.Rebalances > 0 && farther.Rebalances > 0));
        using var load = new Load(addresses, "counted", partitions: 1, producers: 1, recordBytes: 10_000);
        await load.WaitForMoreAsync(3_000, Limit);
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
}
