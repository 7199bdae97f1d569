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

    private BlockDevices Devices(int node, string own, params string[] others) => new(
        _machine.Runtime, _pool, Options(own), [.. others.Select(Options)])
    {
        Owner = new BlockOwner("cluster", new NodeIncarnation(new NodeId(node), new NodeEpoch(node))),
    };

    private BlockDeviceOptions Options(string name) => new(Path.Combine(_machine.Folder, name)) { Capacity = 64 << 20 };
}
