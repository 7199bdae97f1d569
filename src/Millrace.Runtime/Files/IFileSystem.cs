namespace Millrace.Runtime.Files;

/// <summary>
/// The files below the directory object store and the file WAL. The simulator replaces it by one that loses, tears and
/// reorders what was not synced when a node crashes.
/// </summary>
/// <remarks>
/// Durability is explicit: a file's bytes survive a power cut after <see cref="IFileAppender.SyncAsync"/>, its name after
/// <see cref="SyncDirectoryAsync"/> on its folder. Paths are absolute. Errors are <see cref="IOException"/>s whose
/// <see cref="Exception.HResult"/> is the errno; every sync reports its errors. Threading: any thread.
/// </remarks>
public interface IFileSystem
{
    /// <summary>
    /// Behind the name of a device that is being made: whoever makes it holds the lock on that file. What is found there without a maker was
    /// cut short, and is nobody's.
    /// </summary>
    const string Unfinished = ".new";

    /// <summary>Creates the folder and what is missing above it, durably.</summary>
    ValueTask CreateDirectoryAsync(string path, CancellationToken token = default);

    /// <summary>Creates a file that must not exist yet, for appending.</summary>
    ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token = default);

    /// <summary>Gives an existing file a second name, atomically; false if that name is taken.</summary>
    ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token = default);

    /// <summary>Renames, atomically replacing what stands at the new name.</summary>
    ValueTask RenameAsync(string from, string to, CancellationToken token = default);

    /// <summary>False if there is no such file.</summary>
    ValueTask<bool> DeleteAsync(string path, CancellationToken token = default);

    /// <summary>Removes an empty folder; false if it is absent or not empty.</summary>
    ValueTask<bool> DeleteDirectoryAsync(string path, CancellationToken token = default);

    ValueTask SyncDirectoryAsync(string path, CancellationToken token = default);

    /// <summary>Null if there is no such file or folder.</summary>
    ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token = default);

    /// <summary>Reads up to the buffer's length; the count is short only at the end of the file, -1 if there is no such file.</summary>
    ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token = default);

    /// <summary>Names (not paths) of the files and folders in a folder, in ordinal order; empty if there is no such folder.</summary>
    ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token = default);

    /// <summary>
    /// Takes an advisory lock (flock) on a file, created if missing, held until disposed or the process ends; null if another holds it. On a block device it
    /// is a claim to the device, by whatever path it is opened.
    /// </summary>
    ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token = default);

    /// <summary>Opens a block device for its reservations.</summary>
    ValueTask<IDeviceReservations> OpenReservationsAsync(string path, CancellationToken token = default);

    /// <summary>Opens a preallocated file, or a block device, as the medium of a WAL.</summary>
    /// <param name="path">
    /// Created with <paramref name="capacity"/> zeroed bytes, durably, if missing: under <see cref="Unfinished"/> first, which a failure takes away again.
    /// </param>
    /// <param name="capacity">Bytes; a multiple of the sector size. An existing file keeps its own size.</param>
    /// <param name="mode">How writes reach the medium.</param>
    /// <param name="token">Ends the wait.</param>
    ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token = default);
}
