using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal.Inspection;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Inspection;

public sealed class DeviceInspectorTests : IDisposable
{
    private readonly RealNode _machine = new();
    private readonly BufferPool _pool = new(0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Device => Path.Combine(_machine.Folder, "device");

    public void Dispose()
    {
        _machine.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public async Task What_a_device_holds_is_told_and_gone_when_it_was_emptied()
    {
        var provider = await ProviderAsync();
        var wal = await provider.CreateAsync(provider.Describe(new NodeId(3), new NodeEpoch(17), []), Token);
        var inspector = new DeviceInspector(_machine.Runtime, _pool, Device);
        var found = await inspector.InspectAsync(Token);
        Assert.Equal((DeviceContent.Wals, "cluster", new NodeId(3)), (found.Content, found.Cluster, found.Node));
        Assert.Equal(new FoundWal(wal.Descriptor.Id, 0, new NodeId(3), new NodeEpoch(17), IsSealed: false), Assert.Single(found.Wals));
        var refused = await Assert.ThrowsAsync<IOException>(() => inspector.FormatAsync(Token));
        Assert.Contains("held by a living process", refused.Message, StringComparison.Ordinal);

        await wal.DisposeAsync();
        await (await provider.TakeOverAsync(wal.Descriptor, Token)).DisposeAsync();
        Assert.True(Assert.Single((await inspector.InspectAsync(Token)).Wals).IsSealed);

        await inspector.FormatAsync(Token);
        Assert.Equal(DeviceContent.Nothing, (await inspector.InspectAsync(Token)).Content);
        await Assert.ThrowsAsync<Millrace.Streams.Wal.WalUnavailableException>(async () => await provider.TakeOverAsync(wal.Descriptor, Token));
    }

    [Fact]
    public async Task A_device_that_holds_nothing_is_measured_and_holds_nothing_afterwards_and_another_is_only_read()
    {
        await File.WriteAllBytesAsync(Device, new byte[64 << 20], Token);
        var inspector = new DeviceInspector(_machine.Runtime, _pool, Device);
        var probe = new DeviceProbe(_machine.Runtime, _pool, Device);
        var speed = await probe.MeasureAsync(await inspector.InspectAsync(Token), Token);
        Assert.True(speed.Read.Half > TimeSpan.Zero && speed.Write!.Value.All99 >= speed.Write.Value.Half && speed.BytesPerSecond > 0, $"{speed}");
        Assert.Equal(-1, (await File.ReadAllBytesAsync(Device, Token)).AsSpan().IndexOfAnyExcept((byte)0));

        var provider = await ProviderAsync();
        await (await provider.CreateAsync(provider.Describe(new NodeId(3), new NodeEpoch(17), []), Token)).DisposeAsync();
        var before = await File.ReadAllBytesAsync(Device, Token);
        speed = await probe.MeasureAsync(await inspector.InspectAsync(Token), Token);
        Assert.Equal((null, null, null), (speed.Write, speed.Flush, speed.BytesPerSecond));
        Assert.Equal(before, await File.ReadAllBytesAsync(Device, Token));
    }

    [Fact]
    public async Task What_is_not_Millraces_and_what_another_version_wrote_is_told()
    {
        var bytes = new byte[2 << 20];
        bytes[510] = 0x55;
        await File.WriteAllBytesAsync(Device, bytes, Token);
        var inspector = new DeviceInspector(_machine.Runtime, _pool, Device);
        Assert.Equal(DeviceContent.SomethingElse, (await inspector.InspectAsync(Token)).Content);

        "MWD1"u8.CopyTo(bytes);
        bytes[4] = 9;
        await File.WriteAllBytesAsync(Device, bytes, Token);
        Assert.Equal(DeviceContent.UnreadableLabel, (await inspector.InspectAsync(Token)).Content);
    }

    private async Task<RingWalProvider> ProviderAsync()
    {
        var devices = new BlockDevices(_machine.Runtime, _pool, new BlockDeviceOptions(Device) { Capacity = 64 << 20 }, [])
        {
            Owner = new BlockOwner("cluster", new NodeIncarnation(new NodeId(3), new NodeEpoch(17))),
        };
        await devices.FindAsync(Token);
        return new RingWalProvider(_machine.Runtime, _pool, new BlockMedium(devices), new());
    }
}
