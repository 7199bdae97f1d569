using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;
using Millrace.Tests.Streams.Wal.Media.Block;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A block device, or a file in its place, fenced by this host's lock.</summary>
internal sealed class BlockBed : RingBed
{
    public const string Cluster = "6fybnjOlTzidPA9LjwqaEQ";

    private readonly long _capacity;

    private BlockBed(int? sector, long capacity)
    {
        _capacity = capacity;
        Sector = sector ?? base.Sector;
        Loop = sector is { } size ? LoopDevice.Over(Backing, capacity, size) : null;
        Device = Loop?.Path ?? Backing;
    }

    public override int Sector { get; }

    public override int Stride => Loop is null ? 1 : 5;

    public override long RingSize => BlockLayout.PartOf(_capacity, 0).Length - RingFormat.RingStart;

    /// <summary>Null of a file.</summary>
    public LoopDevice? Loop { get; }

    /// <summary>The file that has the device's bytes.</summary>
    public string Backing => Path.Combine(Folder, "device");

    /// <summary>By which path it is opened.</summary>
    public string Device { get; set; }

    public static BlockBed On(RingMedium medium, long capacity = BlockDeviceOptions.SmallestCapacity) => new(
        medium switch
        {
            RingMedium.DeviceOf512ByteSectors => 512,
            RingMedium.DeviceOf4096ByteSectors => 4096,
            _ => null,
        },
        capacity);

    public override ValueTask<IWalProvider> ProviderAsync() => ProviderAsync(Cluster);

    /// <summary>Looks for the device as a process does that starts.</summary>
    public async ValueTask<IWalProvider> ProviderAsync(string cluster)
    {
        var devices = new BlockDevices(Runtime, Pool, new(Device) { Capacity = _capacity, Fence = DeviceFenceKind.Host }, [])
        {
            Owner = new BlockOwner(cluster, new NodeIncarnation(Node, Epoch)),
        };
        await devices.FindAsync(Token);
        return new RingWalProvider(Runtime, Pool, new BlockMedium(devices), new());
    }

    public byte[] Read(long position, int length) => ReadFile(Device, position, length);

    public void Write(long position, ReadOnlySpan<byte> bytes) => WriteFile(Device, position, bytes);

    public void Flip(long position) => Write(position, [(byte)(Read(position, 1)[0] ^ (1 << (int)(position % 8)))]);

    public void Resize(long bytes)
    {
        if (Loop is not null)
        {
            Loop.Resize(bytes);
            return;
        }

        using var file = LinuxFile.Open(Backing, LinuxFile.ReadWrite);
        RandomAccess.SetLength(file, bytes);
    }

    public override async ValueTask DisposeAsync()
    {
        Loop?.Dispose();
        await base.DisposeAsync();
    }

    protected override string PathOf(WalDescriptor wal) => Device;

    protected override long StartOf(WalDescriptor wal) => BlockLayout.PartOf(_capacity, BlockLayout.TryParse(wal.Location)!.Value.Half).Start;
}
