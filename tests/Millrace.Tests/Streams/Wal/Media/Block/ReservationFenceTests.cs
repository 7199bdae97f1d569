using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal.Media.Block;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Media.Block;

/// <summary>Host 1 writes, host 2 takes over, each with its own path to the device. A take-over that waits never ends here of itself.</summary>
public sealed class ReservationFenceTests : IDisposable
{
    private static readonly ulong Writer = KeyOf(node: 1, epoch: 10);
    private static readonly ulong Taker = KeyOf(node: 2, epoch: 11);

    private readonly RealNode _machine = new();
    private readonly ReservedDevice _shared = new();
    private readonly List<NodeRuntime> _runtimes = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _runtimes.ForEach(runtime => runtime.Dispose());
        _machine.Dispose();
    }

    [Fact]
    public async Task Who_takes_the_writers_place_aborts_what_is_on_its_way_and_need_not_wait()
    {
        await using var written = await TakeAsync(1, Writer, writer: null);
        await using var taken = await TakeAsync(2, Taker, Writer);
        Assert.Equal((2, 1), (_shared.Holder, _shared.Aborts));
    }

    [Fact]
    public async Task A_writer_that_comes_again_on_its_host_need_not_wait()
    {
        await (await TakeAsync(1, Writer, writer: null)).DisposeAsync();
        await using var again = await TakeAsync(1, KeyOf(node: 1, epoch: 12), Writer);
        Assert.Equal((1, 0), (_shared.Holder, _shared.Aborts));
    }

    [Theory]
    [InlineData("nobody holds it")]
    [InlineData("an earlier take-over was cut short")]
    [InlineData("the device cannot abort")]
    public async Task What_may_still_be_on_its_way_is_waited_for(string why)
    {
        await using var written = await TakeAsync(1, Writer, writer: null);
        if (why == "nobody holds it")
        {
            _shared.Holder = null;
        }
        else if (why == "an earlier take-over was cut short")
        {
            _shared.FailsNext = new IOException("no answer", LinuxError.InputOutput);
            await Assert.ThrowsAsync<IOException>(async () => await TakeAsync(2, Taker, Writer));
        }

        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var take = TakeAsync(2, Taker, Writer, aborts: why != "the device cannot abort", giveUp.Token);
        Assert.True(await Eventually.BecomesTrueAsync(() => _shared.Holder == 2));
        await Task.Delay(50, Token);
        Assert.False(take.IsCompleted);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => take);
    }

    [Fact]
    public async Task An_incarnation_that_slept_does_not_take_the_device_from_a_later_one_of_its_node()
    {
        await using var later = await TakeAsync(1, KeyOf(node: 1, epoch: 12), writer: null);
        var refused = await Assert.ThrowsAsync<IOException>(async () => await TakeAsync(2, Writer, writer: null));
        Assert.Contains("a later incarnation", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, _shared.Holder);
    }

    [Fact]
    public async Task Who_has_taken_the_writers_place_is_left_to_seal_its_wal_by_the_writers_next_incarnation_and_by_other_nodes()
    {
        var (next, third) = (KeyOf(node: 1, epoch: 12), KeyOf(node: 3, epoch: 5));
        await using var written = await TakeAsync(1, Writer, writer: null);
        Assert.False(await IsTakenAsync(3, third));
        await using var taken = await TakeAsync(2, Taker, Writer);
        Assert.True(await IsTakenAsync(1, next));
        Assert.True(await IsTakenAsync(3, third));

        // Not by its own next incarnation; and nobody gives way to the writer's.
        Assert.False(await IsTakenAsync(2, KeyOf(node: 2, epoch: 13)));
        await written.DisposeAsync();
        await using var again = await TakeAsync(1, next, writer: null);
        Assert.False(await IsTakenAsync(2, Taker));
    }

    private static ulong KeyOf(int node, long epoch) => new BlockOwner("cluster", new NodeIncarnation(new NodeId(node), new NodeEpoch(epoch))).Key;

    private async Task<IAsyncDisposable> TakeAsync(int host, ulong key, ulong? writer, bool aborts = true, CancellationToken? token = null)
    {
        var device = DeviceOf(host, aborts);
        return await device.Fence.TakeAsync(device, key, writer, token ?? Token);
    }

    private async Task<bool> IsTakenAsync(int host, ulong key)
    {
        var device = DeviceOf(host, aborts: true);
        return await device.Fence.FindTakerAsync(device, key, Writer, Token) == new NodeIncarnation(new NodeId(2), new NodeEpoch(11));
    }

    private BlockDevice DeviceOf(int host, bool aborts)
    {
        var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), _shared.FilesOf(host, _machine.Runtime.Files), NullLoggerFactory.Instance);
        _runtimes.Add(runtime);
        var path = Path.Combine(_machine.Folder, $"host{host}");
        var options = new BlockDeviceOptions(path) { Aborts = aborts, Settling = TimeSpan.FromHours(1) };
        var fence = new ReservationFence(runtime, new HostFence(runtime));
        return new BlockDevice(options, fence, "wwid", "wwid", 0);
    }
}
