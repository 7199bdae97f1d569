using Millrace.Runtime.Files;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;

namespace Millrace.Benchmarks.Wal;

/// <summary>A medium whose flushes take longer, as those of a network volume do.</summary>
internal sealed class SlowFlushes(IWalMedium medium, TimeSpan delay) : IWalMedium
{
    public WalKind Kind => medium.Kind;

    public bool AreShared => medium.AreShared;

    public string Locate(Guid wal, IReadOnlyCollection<WalDescriptor> waiting) => medium.Locate(wal, waiting);

    public async ValueTask<IWalSpace> MakeAsync(WalDescriptor wal, CancellationToken token) => new Space(await medium.MakeAsync(wal, token), delay);

    public ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token) => medium.FenceAsync(wal, token);

    public ValueTask<IWalSpace?> TryOpenToReadAsync(WalDescriptor wal, CancellationToken token) => medium.TryOpenToReadAsync(wal, token);

    public ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token) => medium.DiscardAsync(wal, token);

    public bool SharesRoomWith(WalDescriptor retired) => medium.SharesRoomWith(retired);

    public ValueTask RemoveUnfinishedAsync(CancellationToken token) => medium.RemoveUnfinishedAsync(token);

    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) => medium.FindOthersAsync(known, token);

    private sealed class Space(IWalSpace space, TimeSpan delay) : IWalSpace, IWalDevice
    {
        public IWalDevice Device => this;

        public string Identity => space.Identity;

        public string Name => space.Name;

        public long Capacity => space.Device.Capacity;

        public int SectorSize => space.Device.SectorSize;

        public WalDeviceMode Mode => space.Device.Mode;

        public bool IsFence(Exception failure) => space.IsFence(failure);

        public ValueTask GiveUpAsync() => space.GiveUpAsync();

        public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) =>
            space.Device.WriteAsync(position, parts, token);

        public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token) => space.Device.ReadAsync(position, buffer, token);

        public async ValueTask FlushAsync(CancellationToken token)
        {
            await space.Device.FlushAsync(token);
            Pause.For(delay);
        }

        public async ValueTask WriteThroughAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token)
        {
            await space.Device.WriteThroughAsync(position, parts, token);
            Pause.For(delay);
        }

        public ValueTask DisposeAsync() => space.DisposeAsync();
    }
}
