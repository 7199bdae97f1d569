using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Media.Block;

/// <summary>Devices of other nodes come and go while a node lives.</summary>
public sealed class BlockDevicesTests : IDisposable
{
    private readonly RealNode _machine = new();
    private readonly BufferPool _pool = new(0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _machine.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public async Task A_device_that_comes_later_is_found_and_its_WAL_taken_over_and_one_that_has_gone_may_come_again()
    {
        var device = Path.Combine(_machine.Folder, "of-node-2");
        var mine = Devices(1, "of-node-1", "of-node-2");
        var own = Assert.Single(await mine.FindAsync(Token));
        Assert.Equal([own], await mine.LookAgainAsync(Token));

        var others = Devices(2, "of-node-2");
        var reach = Assert.Single(await others.FindAsync(Token));
        var provider = new RingWalProvider(_machine.Runtime, _pool, new BlockMedium(others), new());
        var wal = await provider.CreateAsync(provider.Describe(new NodeId(2), new NodeEpoch(2), []), Token);
        await wal.DisposeAsync();

        var takeover = new RingWalTakeover(_machine.Runtime, _pool, mine);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await takeover.TakeOverAsync(wal.Descriptor, Token));
        Assert.Contains("which this node does not reach", refused.Message, StringComparison.Ordinal);
        Assert.Equal([own, reach], await mine.LookAgainAsync(Token));
        await (await takeover.TakeOverAsync(wal.Descriptor, Token)).DisposeAsync();

        File.Move(device, device + "-away");
        Assert.Equal([own, reach], await mine.LookAgainAsync(Token));
        refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await takeover.TakeOverAsync(wal.Descriptor, Token));
        Assert.True(refused.MayPass);
        Assert.False(File.Exists(device));

        File.Move(device + "-away", device);
        await (await takeover.TakeOverAsync(wal.Descriptor, Token)).DisposeAsync();
    }

    [Fact]
    public async Task A_device_that_never_answers_holds_up_neither_the_others_nor_whoever_stops()
    {
        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var looks = 0;
        var files = new HookedFiles(_machine.Runtime.Files);
        var runtime = new NodeRuntime(new HastyTime(), TaskScheduler.Default, new SystemRandom(), files, NullLoggerFactory.Instance);
        var devices = new BlockDevices(runtime, _pool, own: null, [Options("hangs"), Options("answers")]);
        await File.WriteAllBytesAsync(Path.Combine(_machine.Folder, "hangs"), new byte[64 << 20], Token);
        await File.WriteAllBytesAsync(Path.Combine(_machine.Folder, "answers"), new byte[64 << 20], Token);
        files.Before = (call, path) =>
            call == "status" && path.EndsWith("hangs", StringComparison.Ordinal) && Interlocked.Increment(ref looks) == 1 ? new(hangs.Task) : default;

        Assert.EndsWith("answers", Assert.Single(await devices.FindAsync(Token)), StringComparison.Ordinal);
        Assert.EndsWith("answers", Assert.Single(await devices.LookAgainAsync(Token)), StringComparison.Ordinal);
        Assert.Equal(1, looks);
        using var stopping = new CancellationTokenSource();
        stopping.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await devices.LookAgainAsync(stopping.Token));

        hangs.SetResult();
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await devices.LookAgainAsync(Token)).Count == 2));
        runtime.Dispose();
    }

    /// <summary>Found by the simulator (<c>wal-block</c>, seed 2360): a former incarnation's label was on its way.</summary>
    [Fact]
    public async Task A_label_that_lands_while_its_node_looks_at_the_device_is_no_strangers_data()
    {
        var former = Devices(1, "device");
        await former.FindAsync(Token);
        var files = new HookedFiles(_machine.Runtime.Files);
        using var runtime = new NodeRuntime(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), files, NullLoggerFactory.Instance);
        var next = new BlockDevices(runtime, _pool, Options("device"), [])
        {
            Owner = new BlockOwner("cluster", new NodeIncarnation(new NodeId(1), new NodeEpoch(2))),
        };
        await next.FindAsync(Token);
        var calls = 0;
        files.Before = async (call, _) =>
        {
            calls += call == "read device" || calls > 0 ? 1 : 0;
            if (calls == 2)
            {
                calls++;
                await (await CreateAsync(_machine.Runtime, former, new NodeEpoch(1))).DisposeAsync();
            }
        };

        await (await CreateAsync(runtime, next, new NodeEpoch(2))).DisposeAsync();
        Assert.True(calls > 2);
    }

    private ValueTask<IWriteAheadLog> CreateAsync(NodeRuntime runtime, BlockDevices devices, NodeEpoch epoch)
    {
        var provider = new RingWalProvider(runtime, _pool, new BlockMedium(devices), new());
        return provider.CreateAsync(provider.Describe(new NodeId(1), epoch, []), Token);
    }

    private BlockDevices Devices(int node, string own, params string[] others) => new(
        _machine.Runtime, _pool, Options(own), [.. others.Select(Options)])
    {
        Owner = new BlockOwner("cluster", new NodeIncarnation(new NodeId(node), new NodeEpoch(node))),
    };

    private BlockDeviceOptions Options(string name) => new(Path.Combine(_machine.Folder, name)) { Capacity = 64 << 20 };

    /// <summary>Timers that end a hundred times sooner.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime / 100, period);
    }
}
