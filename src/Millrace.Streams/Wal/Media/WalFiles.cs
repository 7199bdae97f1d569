using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Streams.Wal.Media;

/// <summary>
/// Files that hold WALs, wherever on the local machine the metadata says that they lie: all that a process needs which recovers such WALs and makes none.
/// </summary>
/// <remarks>A lock on the file fences: its holder is alive, and whoever gets it writes alone.</remarks>
/// <param name="runtime">Its files hold the WALs.</param>
public sealed class WalFiles(NodeRuntime runtime) : IFormerSpaces
{
    private readonly IFileSystem _files = runtime.Files;

    public async ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token) =>
        await FenceAsync(wal, await FindAsync([wal.Location], token), DeleteAsync, token);

    public async ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token) =>
        await DiscardAsync(await FindAsync([wal.Location], token), DeleteAsync, token);

    /// <summary>The first of these paths where a file lies; null if none does.</summary>
    internal async ValueTask<string?> FindAsync(IEnumerable<string> paths, CancellationToken token)
    {
        foreach (var path in paths)
        {
            if (await _files.GetStatusAsync(path, token) is not null)
            {
                return path;
            }
        }

        return null;
    }

    /// <param name="wal">A former incarnation's.</param>
    /// <param name="path">Where it was found; null if nowhere.</param>
    /// <param name="giveUp">What becomes of the file when nothing in it is needed any more. Repeatable.</param>
    /// <param name="token">Ends the wait.</param>
    internal ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, string? path, Func<string, ValueTask> giveUp, CancellationToken token) => path is null
        ? throw new WalUnavailableException(wal, $"The WAL {wal.Location} of node {wal.Node} is missing.")
        : HoldAsync(wal, path, capacity: 0, WalDeviceMode.Direct, giveUp, token);

    /// <inheritdoc cref="FenceAsync(WalDescriptor, string?, Func{string, ValueTask}, CancellationToken)"/>
    internal async ValueTask<bool> DiscardAsync(string? path, Func<string, ValueTask> giveUp, CancellationToken token)
    {
        if (path is null)
        {
            return true;
        }

        if (await _files.TryLockAsync(path, token) is not { } fileLock)
        {
            return false;
        }

        // Nobody else locks it any more: its name is unique, and its life is over.
        await fileLock.DisposeAsync();
        await giveUp(path);
        return true;
    }

    /// <summary>Opens and locks a file.</summary>
    /// <param name="wal">Whose it is.</param>
    /// <param name="path">Made if it is missing.</param>
    /// <param name="capacity">Of one that is made.</param>
    /// <param name="wanted">How writes reach the disk. A file system that has no direct writes gets buffered ones.</param>
    /// <param name="giveUp">What becomes of the file when nothing in it is needed any more. Repeatable.</param>
    /// <param name="token">Ends the wait.</param>
    internal async ValueTask<IWalSpace> HoldAsync(
        WalDescriptor wal, string path, long capacity, WalDeviceMode wanted, Func<string, ValueTask> giveUp, CancellationToken token)
    {
        var device = await OpenDeviceAsync(path, capacity, wanted, token);
        IAsyncDisposable? fileLock = null;
        try
        {
            fileLock = await _files.TryLockAsync(path, token)
                ?? throw new WalUnavailableException(wal, $"The WAL {path} is held by a living process: stop that first");
            var status = await _files.GetStatusAsync(path, token)
                ?? throw new WalUnavailableException(wal, $"The WAL {path} has just been deleted");
            return new HeldFile(device, fileLock, status.Identity, path, () => giveUp(path));
        }
        catch
        {
            await device.DisposeAsync();
            if (fileLock is not null)
            {
                await fileLock.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>Deletes a file for good; an absent one is no error.</summary>
    internal async ValueTask DeleteAsync(string path)
    {
        await _files.DeleteAsync(path);
        await _files.SyncDirectoryAsync(Path.GetDirectoryName(path)!);
    }

    private async ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode wanted, CancellationToken token)
    {
        try
        {
            return await _files.OpenDeviceAsync(path, capacity, wanted, token);
        }
        catch (IOException failure) when (wanted == WalDeviceMode.Direct && failure.HResult == LinuxError.Invalid)
        {
            // A file system without O_DIRECT.
            WalMessages.NoDirectWrites(runtime.Loggers, path);
            return await _files.OpenDeviceAsync(path, capacity, WalDeviceMode.Buffered, token);
        }
    }
}
