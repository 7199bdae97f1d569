using Millrace.Runtime;

namespace Millrace.Tests.Streams.Wal;

/// <summary>Real files whose WAL devices fail when a test says so.</summary>
internal sealed class FailingFiles(IFileSystem files) : IFileSystem
{
    /// <summary>Is asked before each flush; an exception fails it, a task that does not end holds it up.</summary>
    public Func<Task> BeforeFlush { get; set; } = () => Task.CompletedTask;

    /// <summary>Is asked before each write.</summary>
    public Func<Task> BeforeWrite { get; set; } = () => Task.CompletedTask;

    public ValueTask CreateDirectoryAsync(string path, CancellationToken token) => files.CreateDirectoryAsync(path, token);

    public ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token) => files.CreateAsync(path, token);

    public ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token) => files.TryLinkAsync(existing, created, token);

    public ValueTask RenameAsync(string from, string to, CancellationToken token) => files.RenameAsync(from, to, token);

    public ValueTask<bool> DeleteAsync(string path, CancellationToken token) => files.DeleteAsync(path, token);

    public ValueTask<bool> DeleteDirectoryAsync(string path, CancellationToken token) => files.DeleteDirectoryAsync(path, token);

    public ValueTask SyncDirectoryAsync(string path, CancellationToken token) => files.SyncDirectoryAsync(path, token);

    public ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token) => files.GetStatusAsync(path, token);

    public ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token) => files.ReadAsync(path, position, buffer, token);

    public ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token) => files.ListAsync(path, token);

    public ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token) => files.TryLockAsync(path, token);

    public async ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token) =>
        new Device(this, await files.OpenDeviceAsync(path, capacity, mode, token));

    private sealed class Device(FailingFiles owner, IWalDevice device) : IWalDevice
    {
        public long Capacity => device.Capacity;

        public int SectorSize => device.SectorSize;

        public WalDeviceMode Mode => device.Mode;

        public async ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token)
        {
            await owner.BeforeWrite();
            await device.WriteAsync(position, parts, token);
        }

        public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token) => device.ReadAsync(position, buffer, token);

        public async ValueTask FlushAsync(CancellationToken token)
        {
            await owner.BeforeFlush();
            await device.FlushAsync(token);
        }

        public ValueTask DisposeAsync() => device.DisposeAsync();
    }
}
