using System.Globalization;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// The object store dies under load and comes back. MILLRACE_TEST_OUTAGE_SECONDS says after how long (8 if not given; the
/// full form is 30).
/// </summary>
public sealed class StoreOutageTests
{
    private const int Partitions = 4;

    // A small bound, so that the outage fills it and producers have to wait.
    private const int NotUploadedMegabytes = 32;

    private static int Seconds => int.Parse(Environment.GetEnvironmentVariable("MILLRACE_TEST_OUTAGE_SECONDS") ?? "8", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("file")]
    [InlineData("object")]
    public async Task Nothing_is_lost_producers_resume_by_themselves_and_memory_stays_bounded(string wal)
    {
        using var directory = new TemporaryDirectory();
        await using var store = await BreakableStore.StartAsync(directory.Sub("minio"));
        await using var broker = await MillraceProcess.StartAsync(
            directory.Sub("data"), store.Server.Credentials,
            "--store", store.Server.Uri("outage"), "--wal", wal == "file" ? $"file://{directory.Sub("wal")}" : wal,
            "--set", $"millrace.not.uploaded.max.bytes={NotUploadedMegabytes << 20}", "--set", "millrace.upload.bytes=4194304");
        await TestTopic.CreateAsync(broker.BootstrapServers, "outage", Partitions);
        using var load = new Load(broker.BootstrapServers, "outage", Partitions, producers: 2, recordBytes: 2000, recordsPerSecond: 5_000);
        await load.WaitForMoreAsync(2000, TimeSpan.FromSeconds(60));
        using var member = new CommittingMember(broker.BootstrapServers, "outage");
        Assert.True(await Eventually.BecomesTrueAsync(() => member.Commits > 0));

        var said = broker.Log.Length;
        await store.SignalAsync("KILL");
        var (before, commitsBefore) = (load.Count, member.Commits);
        await Task.Delay(TimeSpan.FromSeconds(Seconds));
        var (during, commitsDuring) = (load.Count - before, member.Commits - commitsBefore);
        var memory = ProcessMemory.OwnMegabytes(broker.ProcessId);
        await store.RestartAsync();

        await load.WaitForMoreAsync(2000, TimeSpan.FromSeconds(90));
        load.Stop(TimeSpan.FromSeconds(90));
        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Log.Contains("does what it is asked again", StringComparison.Ordinal)));
        var told = broker.Log[said..].Split('\n').Where(line =>
            line.Contains(" warn ", StringComparison.Ordinal)
            || line.Contains("error ", StringComparison.Ordinal)
            || line.Contains("object store", StringComparison.Ordinal)).ToList();
        Assert.True(told.Count == 2, string.Join('\n', told));
        Assert.Empty(load.Failures);
        LogContent.Read(broker.BootstrapServers, "outage", Partitions).AssertHolds(load.Acknowledged);
        Assert.True(during * 2000L < 2L * NotUploadedMegabytes << 20, $"{during} records were acknowledged while they could not be uploaded");
        Assert.True(memory < 340, $"{memory} MB");
        if (wal == "file")
        {
            // Its commits go to the WAL, like what producers could still write; but producers wait by now, and it does not.
            Assert.Empty(member.Failures);
            Assert.Equal(1, member.Rebalances);
            Assert.True(commitsDuring > Seconds, $"{commitsDuring} commits in {Seconds} s");
        }
    }

    [Fact]
    public async Task A_stop_while_the_bucket_is_away_ends_though_an_upload_in_parts_is_under_way_and_the_next_start_has_everything()
    {
        using var directory = new TemporaryDirectory();
        await using var store = await BreakableStore.StartAsync(directory.Sub("minio"));
        string[] arguments =
        [
            "--store", store.Server.Uri("away"), "--set", "millrace.stop.limit.ms=4000",
            "--set", "millrace.upload.bytes=67108864", "--set", "millrace.upload.interval.ms=600000",
        ];
        await using (var broker = await MillraceProcess.StartAsync(directory.Sub("data"), store.Server.Credentials, arguments))
        {
            await TestTopic.CreateAsync(broker.BootstrapServers, "away", Partitions);
            using var load = new Load(broker.BootstrapServers, "away", Partitions, producers: 2, recordBytes: 10_000, recordsPerSecond: 5_000);
            await load.WaitForMoreAsync(4000, TimeSpan.FromSeconds(90));
            load.Stop(TimeSpan.FromSeconds(90));
            await store.SignalAsync("STOP");
            try
            {
                Assert.Equal(0, await broker.StopAsync());
                Assert.Contains("stays in the WAL", broker.Log, StringComparison.Ordinal);
            }
            finally
            {
                await store.SignalAsync("CONT");
            }

            await using var next = await MillraceProcess.StartAsync(directory.Sub("data"), store.Server.Credentials, arguments);
            LogContent.Read(next.BootstrapServers, "away", Partitions).AssertHolds(load.Acknowledged);
        }
    }
}
