using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Brokers whose WALs lie on devices that all of them reach, fenced by the lock of their one host.</summary>
[Collection(AloneTestGroup.Name)]
public sealed class SharedDeviceTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public Task Any_broker_may_be_killed_under_load_and_those_who_reach_its_device_lose_double_and_reorder_nothing() =>
        ClusterTests.KillUnderLoadAsync(output, "block", rounds: 2);

    [Fact]
    public async Task A_device_that_is_away_when_its_broker_dies_is_taken_over_as_soon_as_it_is_attached()
    {
        using var directory = new TemporaryDirectory();
        var device = directory.Sub("device");
        await using var survivor = await StartAsync("survivor", "object", device);
        await using var dying = await StartAsync("dying", $"block://{device}?capacity=256MiB", "");
        await TestTopic.CreateAsync(survivor.BootstrapServers, "attached", partitions: 4);
        using var load = new Load($"{survivor.BootstrapServers},{dying.BootstrapServers}", "attached", partitions: 4, producers: 1);
        await load.WaitForMoreAsync(1_000, Limit);
        await WaitForAsync(survivor, "is there now", times: 1);

        File.Move(device, directory.Sub("away"));
        await WaitForAsync(survivor, "cannot be used", times: 2);
        await dying.KillAsync();
        await WaitForAsync(survivor, "is not available: ", times: 1);

        File.Move(directory.Sub("away"), device);
        await WaitForAsync(survivor, "is there now", times: 2);
        await load.WaitForMoreAsync(4_000, Limit);
        load.Stop(Limit);
        Assert.Empty(load.Failures);
        var content = LogContent.Read(survivor.BootstrapServers, "attached", partitions: 4);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);

        static async Task WaitForAsync(MillraceProcess broker, string said, int times) =>
            Assert.True(await Eventually.BecomesTrueAsync(() => broker.Log.Split(said).Length > times), broker.Log);

        Task<MillraceProcess> StartAsync(string name, string wal, string devices) => MillraceProcess.StartAsync(
            directory.Sub(name), "--store", $"file://{directory.Sub("store")}", "--name", name, "--wal", wal, "--set", $"millrace.wal.devices={devices}");
    }
}
