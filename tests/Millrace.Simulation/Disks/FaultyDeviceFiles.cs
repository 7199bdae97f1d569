using Millrace.Runtime.Files;

namespace Millrace.Simulation.Disks;

/// <summary>Files as they are, but for the WAL devices among them: a derived class holds their writes and flushes up, fails them or leaves them out.</summary>
public abstract class FaultyDeviceFiles(IFileSystem files) : IFileSystem
{
    public ValueTask CreateDirectoryAsync(string path, CancellationToken token) => files.CreateDirectoryAsync(path, token);

    public ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token) => files.CreateAsync(path, token);

    public ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token) => files.TryLinkAsync(existing, created, token);

    public ValueTask RenameAsync(string from, string to, CancellationToken token) => files.RenameAsync(from, to, token);

    public ValueTask<bool> DeleteAsync(string path, CancellationToken token) => files.DeleteAsync(path, token);

    public ValueTask<bool> DeleteDirectoryAsync(string path, CancellationToken token) => files.DeleteDirectoryAsync(path, token);

    public virtual ValueTask SyncDirectoryAsync(string path, CancellationToken token) => files.SyncDirectoryAsync(path, token);

    public virtual ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token) => files.GetStatusAsync(path, token);

    public ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token) => files.ReadAsync(path, position, buffer, token);

    public ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token) => files.ListAsync(path, token);

    public virtual ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token) => files.TryLockAsync(path, token);

    public virtual ValueTask<IDeviceReservations> OpenReservationsAsync(string path, CancellationToken token) => files.OpenReservationsAsync(path, token);

    public virtual async ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token) =>
        new Device(this, await files.OpenDeviceAsync(path, capacity, ModeOf(mode), token));

    /// <summary>How a device is really opened.</summary>
    protected virtual WalDeviceMode ModeOf(WalDeviceMode asked) => asked;

    protected virtual ValueTask WriteAsync(IWalDevice device, long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) =>
        device.WriteAsync(position, parts, token);

    protected virtual ValueTask FlushAsync(IWalDevice device, CancellationToken token) => device.FlushAsync(token);

    private sealed class Device(FaultyDeviceFiles owner, IWalDevice device) : IWalDevice
    {
        public long Capacity => device.Capacity;

        public int SectorSize => device.SectorSize;

        public WalDeviceMode Mode => device.Mode;

        public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) =>
            owner.WriteAsync(device, position, parts, token);

        public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token) => device.ReadAsync(position, buffer, token);

        public ValueTask FlushAsync(CancellationToken token) => owner.FlushAsync(device, token);

        public ValueTask DisposeAsync() => device.DisposeAsync();
    }
}
