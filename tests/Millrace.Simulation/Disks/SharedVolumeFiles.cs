using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Simulation.Disks;

/// <summary>A machine's files, with a <see cref="SharedVolume"/> among them; or with a mistake in whoever uses it.</summary>
internal sealed class SharedVolumeFiles(SharedVolume volume, int machine, IFileSystem files, PlantedFault? fault) : FaultyDeviceFiles(files)
{
    // The machine's kernel keeps its processes apart.
    private readonly string _claim = $"/{volume.Name}.claim";

    public override ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token) =>
        path == volume.Path ? volume.CallAsync<FileStatus?>(() => volume.Status) : base.GetStatusAsync(path, token);

    public override ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token) =>
        base.TryLockAsync(path == volume.Path ? _claim : path, token);

    public override ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token) =>
        path == volume.Path ? volume.CallAsync<IWalDevice>(() => new Device(this)) : base.OpenDeviceAsync(path, capacity, mode, token);

    public override ValueTask<IDeviceReservations> OpenReservationsAsync(string path, CancellationToken token) =>
        path == volume.Path ? volume.CallAsync<IDeviceReservations>(() => new Reservations(this)) : base.OpenReservationsAsync(path, token);

    private async ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        try
        {
            await volume.WriteAsync(machine, position, parts);
        }
        catch (IOException refused) when (refused.HResult == LinuxError.BadExchange && fault is PlantedFault.TrustFlush or PlantedFault.RegisterAgain)
        {
            if (fault == PlantedFault.RegisterAgain)
            {
                volume.TakeBack(machine);
                await volume.WriteAsync(machine, position, parts);
            }
        }
    }

    private sealed class Device(SharedVolumeFiles owner) : IWalDevice
    {
        public long Capacity => owner.Volume.Capacity;

        public int SectorSize => 4096;

        public WalDeviceMode Mode => WalDeviceMode.Direct;

        public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) => owner.WriteAsync(position, parts);

        public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token) => owner.Volume.ReadAsync(position, buffer);

        // What has landed is durable; and a flush by one that is shut out succeeds, too.
        public async ValueTask FlushAsync(CancellationToken token) => await owner.Volume.CallAsync(() => true);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private SharedVolume Volume => volume;

    private sealed class Reservations(SharedVolumeFiles owner) : IDeviceReservations
    {
        private SharedVolume Volume => owner.Volume;

        public async ValueTask RegisterAsync(ulong key, CancellationToken token) => await Volume.CallAsync(() =>
        {
            Volume.Register(owner.Machine, key);
            return true;
        });

        public ValueTask<DeviceReservation?> ReadAsync(CancellationToken token) => Volume.CallAsync(() => Volume.Holder);

        public ValueTask<bool> TryReserveAsync(ulong key, CancellationToken token) => Volume.CallAsync(() => Volume.TryReserve(owner.Machine));

        public ValueTask<bool> TryPreemptAsync(ulong key, ulong holder, bool aborts, CancellationToken token) =>
            Volume.CallAsync(() => Volume.TryPreempt(owner.Machine, holder, aborts && owner.Fault != PlantedFault.ReadEndBeforeAbort));

        public async ValueTask ClearAsync(ulong key, CancellationToken token) => await Volume.CallAsync(() =>
        {
            Volume.Clear();
            return true;
        });

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private int Machine => machine;

    private PlantedFault? Fault => fault;
}
