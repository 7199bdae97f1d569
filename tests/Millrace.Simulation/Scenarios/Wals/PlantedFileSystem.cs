using Millrace.Runtime;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>
/// Files under a WAL with a mistake: one whose flushes do nothing, so that it acknowledges before anything is durable; or one
/// whose recovery neither flushes nor writes its seal before it serves.
/// </summary>
internal sealed class PlantedFileSystem(IFileSystem files, PlantedFault? fault, Func<bool> isRecovering) : IFileSystem
{
    /// <summary>The flush that the next acknowledgement relies on is left out.</summary>
    public bool SkipsFlush => fault == PlantedFault.AcknowledgeBeforeDurable || SkipsSeal;

    /// <summary>What recovery has to make durable before it serves is left out.</summary>
    public bool SkipsSeal => fault == PlantedFault.ServeBeforeSeal && isRecovering();

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
        new PlantedDevice(this, await files.OpenDeviceAsync(path, capacity, SkipsSeal ? WalDeviceMode.Buffered : mode, token));

    private sealed class PlantedDevice(PlantedFileSystem planted, IWalDevice device) : IWalDevice
    {
        public long Capacity => device.Capacity;

        public int SectorSize => device.SectorSize;

        public WalDeviceMode Mode => device.Mode;

        public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) =>
            planted.SkipsSeal ? ValueTask.CompletedTask : device.WriteAsync(position, parts, token);

        public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token) => device.ReadAsync(position, buffer, token);

        public ValueTask FlushAsync(CancellationToken token) => planted.SkipsFlush ? ValueTask.CompletedTask : device.FlushAsync(token);

        public ValueTask DisposeAsync() => device.DisposeAsync();
    }
}
