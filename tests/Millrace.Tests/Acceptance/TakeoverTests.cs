using Millrace.Tests.Clients;
using Millrace.Tests.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// Two brokers on one bucket: the first is frozen under load, the second takes over, the first wakes. The store is a directory;
/// Ceph RGW and MinIO where they are at hand. MILLRACE_TEST_TAKEOVERS sets how often (2 if not given; the full form is 10).
/// </summary>
public sealed class TakeoverTests(S3Servers servers)
{
    private const int Partitions = 4;

    private static int Takeovers => int.Parse(Environment.GetEnvironmentVariable("MILLRACE_TEST_TAKEOVERS") ?? "2");

    [Fact]
    public async Task What_a_frozen_broker_acknowledged_is_served_by_another_and_what_it_acknowledges_when_it_wakes_is_in_the_log_on_a_directory()
    {
        using var directory = new TemporaryDirectory();
        await TakeOverAgainAndAgainAsync(directory, $"file://{directory.Sub("store")}", []);
    }

    [Fact]
    public async Task What_a_frozen_broker_acknowledged_is_served_by_another_and_what_it_acknowledges_when_it_wakes_is_in_the_log_on_Ceph() =>
        await TakeOverAgainAndAgainAsync(await servers.CephAsync());

    [Fact]
    public async Task What_a_frozen_broker_acknowledged_is_served_by_another_and_what_it_acknowledges_when_it_wakes_is_in_the_log_on_MinIO() =>
        await TakeOverAgainAndAgainAsync(await servers.MinioAsync());

    private static async Task TakeOverAgainAndAgainAsync(S3Server server)
    {
        using var directory = new TemporaryDirectory();
        await TakeOverAgainAndAgainAsync(directory, server.Uri("takeover"), server.Credentials);
    }

    private static async Task TakeOverAgainAndAgainAsync(TemporaryDirectory directory, string store, IReadOnlyList<(string Name, string Value)> environment)
    {
        var promises = new List<Acknowledged>();
        var active = await StartAsync(0);
        await TestTopic.CreateAsync(active.BootstrapServers, "takeover", Partitions);
        for (var round = 1; round <= Takeovers; round++)
        {
            using var load = new Load(active.BootstrapServers, "takeover", Partitions, producers: 2, name: $"round{round}-");
            await load.WaitForMoreAsync(500, TimeSpan.FromSeconds(60));
            await active.SignalAsync("STOP");
            var acknowledgedBefore = load.Count;

            var next = await StartAsync(round);
            var recovered = LogContent.Read(next.BootstrapServers, "takeover", Partitions);

            // The first wakes up with requests in its sockets and appends under way: whatever it acknowledges now must be in the log of its successor. It
            // does not fight for what it has lost, and comes again as another incarnation.
            await active.SignalAsync("CONT");
            await load.WaitForMoreAsync(500, TimeSpan.FromSeconds(60));
            Assert.True(
                await Eventually.BecomesTrueAsync(() => active.Log.Contains("has taken the place of the former incarnation", StringComparison.Ordinal)),
                active.Log);
            load.Stop(TimeSpan.FromSeconds(60));
            Assert.Empty(load.Failures);
            promises.AddRange(load.Acknowledged);
            var content = LogContent.Read(next.BootstrapServers, "takeover", Partitions);
            content.AssertHolds(promises);
            content.AssertBeginsWith(recovered);
            Assert.True(recovered.Count >= acknowledgedBefore);
            Assert.Equal(promises.Count, content.Count);
            await active.DisposeAsync();
            active = next;
        }

        LogContent.Read(active.BootstrapServers, "takeover", Partitions).AssertHolds(promises);
        await active.DisposeAsync();

        Task<MillraceProcess> StartAsync(int number) =>
            MillraceProcess.StartAsync(directory.Sub($"broker-{number}"), environment, "--store", store, "--wal", "object");
    }
}
