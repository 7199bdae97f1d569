using Millrace.Runtime.Files;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Tests.Streams.Wal.Crash;

internal sealed class FileBed(WalDeviceMode mode) : RingBed
{
    private const long Capacity = RingFormat.SmallestCapacity;

    public override long RingSize => Capacity - RingFormat.RingStart;

    public override ValueTask<IWalProvider> ProviderAsync() =>
        new(new RingWalProvider(Runtime, Pool, new WalFolder(Runtime, Path.Combine(Folder, "wal"), new() { Capacity = Capacity, Mode = mode }), new()));

    protected override string PathOf(WalDescriptor wal) => wal.Location;

    protected override long StartOf(WalDescriptor wal) => 0;
}
