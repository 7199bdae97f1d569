using Millrace.Tests.Clients;
using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Three brokers, of which one freezes, one is killed and one stops: what /metrics of those that are left say of it.</summary>
public sealed class LostBrokerMetricsTests : IDisposable
{
    private const int Brokers = 3;
    private const int Partitions = 9;

    private readonly TemporaryDirectory _directory = new();
    private readonly HttpClient _http = new();

    [Fact]
    public async Task Whoever_is_left_says_who_was_lost_for_what_cause_and_how_long_partitions_had_no_leader()
    {
        await using var cluster = await BrokerCluster.StartAsync(_directory, Brokers, "--store", $"file://{_directory.Sub("store")}", "--wal", "object");
        await TestTopic.CreateAsync(cluster[0].BootstrapServers, "watched", Partitions);
        var first = await ControllerAmongAsync(cluster);
        var others = cluster.Where(broker => broker != first).ToList();
        var heard = await ScrapeAsync(first);
        Assert.Equal(others.Select(broker => $"{broker.Node}").Order(), heard.LabelValues("node").Order());
        Assert.InRange(heard.Sum("millrace_node_heartbeat_age_seconds"), 0, 30);

        // The controller freezes: the others lose their leases, and one of them takes its place and gives it up for its silence.
        await first.SignalAsync("STOP");
        var second = await ControllerAmongAsync(others);
        await BecomesAsync(1, second, "millrace_failover_duration_seconds_count", "cause=\"Silent\"");
        foreach (var other in others)
        {
            Assert.True(await Eventually.BecomesTrueAsync(async () => (await ScrapeAsync(other)).Sum("millrace_lease_lapses_total") >= 1));
            Assert.InRange((await ScrapeAsync(other)).Sum("millrace_controller_changes_total"), 2, 10);
        }

        var silent = await ScrapeAsync(second);
        Assert.Equal((1, 1), (silent.Sum("millrace_fences_total"), silent.Sum("millrace_fences_total", "cause=\"Silent\"")));
        Assert.InRange(silent.Sum("millrace_failover_duration_seconds_sum", "cause=\"Silent\""), double.Epsilon, 60);

        // It comes again and leads what is made then; it is killed, and its process is seen to be gone.
        await first.SignalAsync("CONT");
        await BecomesAsync(Brokers, second, "millrace_brokers");
        await TestTopic.CreateAsync(second.BootstrapServers, "killed", Partitions);
        await first.KillAsync();
        await BecomesAsync(1, second, "millrace_failover_duration_seconds_count", "cause=\"Gone\"");

        // One leaves: it hands over what it led first, so that nothing is without a leader.
        Assert.Equal(0, await others.Single(broker => broker != second).StopAsync());
        await BecomesAsync(1, second, "millrace_brokers");
        var left = await ScrapeAsync(second);
        Assert.Equal((2, 0), (left.Sum("millrace_fences_total"), left.Sum("millrace_failover_duration_seconds_count", "cause=\"Left\"")));
        Assert.Equal((0, 0), (left.Sum("millrace_failover_partitions"), left.Sum("millrace_failover_age_seconds")));
        Assert.Contains("Unseen", left.LabelValues("cause"));
        Assert.Empty(left.LabelValues("node"));
    }

    public void Dispose()
    {
        _http.Dispose();
        _directory.Dispose();
    }

    private async Task<MillraceProcess> ControllerAmongAsync(IReadOnlyList<MillraceProcess> brokers)
    {
        MillraceProcess? found = null;
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            foreach (var broker in brokers)
            {
                found = (await ScrapeAsync(broker)).Sum("millrace_controller_leads") == 1 ? broker : found;
            }

            return found is not null;
        }));
        return found!;
    }

    private async Task BecomesAsync(double expected, MillraceProcess broker, string metric, params string[] labels) =>
        Assert.True(
            await Eventually.BecomesTrueAsync(async () => (await ScrapeAsync(broker)).Sum(metric, labels) == expected),
            $"{metric} does not become {expected}:\n{broker.Log}");

    private Task<Scrape> ScrapeAsync(MillraceProcess broker) => Scrape.OfAsync(_http, broker.Http);
}
