using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Simulation.Disks;

namespace Millrace.Tests.Streams.Wal.Media.Block;

/// <summary>A device that several hosts see, with the reservations that real ones have: files of one host on it.</summary>
internal sealed class ReservedDevice
{
    private readonly Dictionary<int, ulong> _registered = [];

    /// <summary>The host that holds it.</summary>
    public int? Holder { get; set; }

    /// <summary>What the next preemption throws after it has taken the place.</summary>
    public IOException? FailsNext { get; set; }

    public int Aborts { get; private set; }

    public IFileSystem FilesOf(int host, IFileSystem files) => new Files(this, host, files);

    private sealed class Files(ReservedDevice device, int host, IFileSystem files) : FaultyDeviceFiles(files)
    {
        public override async ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token) =>
            await base.GetStatusAsync(path, token) is { } status
                ? status with { Identity = "wwid", Device = new BlockDeviceStatus("wwid", IsPartition: false, 512, 4096) }
                : null;

        /// <summary>A lock of the host's own.</summary>
        public override ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token) => base.TryLockAsync($"{path}-{host}", token);

        public override ValueTask<IDeviceReservations> OpenReservationsAsync(string path, CancellationToken token) => new(new Reservations(device, host));

        protected override ValueTask WriteAsync(IWalDevice medium, long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) =>
            device.Holder is { } holder && holder != host
                ? throw new IOException("reserved by another host", LinuxError.BadExchange)
                : base.WriteAsync(medium, position, parts, token);
    }

    private sealed class Reservations(ReservedDevice device, int host) : IDeviceReservations
    {
        public ValueTask RegisterAsync(ulong key, CancellationToken token)
        {
            device._registered[host] = key;
            return default;
        }

        public ValueTask<DeviceReservation?> ReadAsync(CancellationToken token) =>
            new(device.Holder is { } holder ? new DeviceReservation(device._registered[holder], 1) : null);

        public ValueTask<bool> TryReserveAsync(ulong key, CancellationToken token)
        {
            device.Holder ??= host;
            return new(device.Holder == host);
        }

        public ValueTask<bool> TryPreemptAsync(ulong key, ulong holder, bool aborts, CancellationToken token)
        {
            if (device.Holder is not { } former || device._registered[former] != holder)
            {
                return new(false);
            }

            device._registered.Remove(former);
            device.Holder = host;
            if (device.FailsNext is { } failure)
            {
                device.FailsNext = null;
                throw failure;
            }

            device.Aborts += aborts ? 1 : 0;
            return new(true);
        }

        public ValueTask ClearAsync(ulong key, CancellationToken token)
        {
            device._registered.Clear();
            device.Holder = null;
            return default;
        }

        public ValueTask DisposeAsync() => default;
    }
}
