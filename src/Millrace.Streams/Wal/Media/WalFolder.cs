using System.Globalization;
using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Streams.Wal.Media;

/// <summary>WALs as files in a folder of the local machine: only a process on this machine can recover them.</summary>
/// <remarks>
/// Each incarnation has a file of its own. A file that is not needed any more becomes the spare, and the next incarnation
/// uses it again: space that was written once is faster to write than space that was only reserved. A lock on the file fences: its holder
/// is alive, and whoever gets it writes alone.
/// </remarks>
/// <param name="runtime">Its files hold the WALs.</param>
/// <param name="folder">An absolute path.</param>
/// <param name="capacity">Bytes of a file; a multiple of a sector.</param>
/// <param name="mode">How writes reach the disk. A file system that has no direct writes gets buffered ones.</param>
public sealed class WalFolder(NodeRuntime runtime, string folder, long capacity, WalDeviceMode mode) : IWalMedium
{
    private const string Extension = ".wal";

    private readonly IFileSystem _files = runtime.Files;

    public WalKind Kind => WalKind.File;

    private string Spare => Path.Combine(folder, "spare.wal");

    public string Locate(Guid wal) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{wal:N}{Extension}"));

    public async ValueTask<IWalSpace> MakeAsync(WalDescriptor wal, CancellationToken token)
    {
        await _files.CreateDirectoryAsync(folder, token);
        await ReuseSpareAsync(wal.Location, token);
        return await HoldAsync(wal, wal.Location, mode, token);
    }

    public async ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token)
    {
        var path = await TryFindAsync(wal, token)
            ?? throw new WalUnavailableException(wal, $"The WAL {wal.Location} of node {wal.Node} is missing.");
        return await HoldAsync(wal, path, WalDeviceMode.Direct, token);
    }

    public async ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token)
    {
        if (await TryFindAsync(wal, token) is not { } path)
        {
            return true;
        }

        if (await _files.TryLockAsync(path, token) is not { } fileLock)
        {
            return false;
        }

        // Nobody else locks it any more: its name is unique, and its life is over.
        await fileLock.DisposeAsync();
        await GiveUpAsync(path);
        return true;
    }

    public async ValueTask RemoveUnfinishedAsync(CancellationToken token)
    {
        var removed = 0;
        foreach (var entry in await _files.ListAsync(folder, token))
        {
            var path = Path.Combine(folder, entry.Name);
            if (!entry.IsDirectory && entry.Name.EndsWith(Extension + IFileSystem.Unfinished, StringComparison.Ordinal)
                && await _files.TryLockAsync(path, token) is { } fileLock)
            {
                await using (fileLock)
                {
                    await _files.DeleteAsync(path, token);
                }

                WalMessages.UnfinishedRemoved(runtime.Loggers, path);
                removed++;
            }
        }

        if (removed > 0)
        {
            await _files.SyncDirectoryAsync(folder, token);
        }
    }

    public async ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token)
    {
        var others = new List<string>();
        foreach (var entry in await _files.ListAsync(folder, token))
        {
            if (!entry.IsDirectory
                && Path.GetExtension(entry.Name) == Extension
                && Guid.TryParseExact(Path.GetFileNameWithoutExtension(entry.Name), "N", out var id)
                && !known.Contains(id))
            {
                others.Add(Path.Combine(folder, entry.Name));
            }
        }

        return others;
    }

    private async ValueTask<IWalSpace> HoldAsync(WalDescriptor wal, string path, WalDeviceMode wanted, CancellationToken token)
    {
        var device = await OpenDeviceAsync(path, wanted, token);
        IAsyncDisposable? fileLock = null;
        try
        {
            fileLock = await _files.TryLockAsync(path, token)
                ?? throw new WalUnavailableException(wal, $"The WAL {path} is held by a living process: stop that first");
            var status = await _files.GetStatusAsync(path, token)
                ?? throw new WalUnavailableException(wal, $"The WAL {path} has just been deleted");
            return new HeldFile(device, fileLock, status.Identity, path, () => GiveUpAsync(path));
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

    /// <summary>Where the WAL lies: where the metadata says, or by the same name in this folder, should that have moved. Null if in neither.</summary>
    private async ValueTask<string?> TryFindAsync(WalDescriptor wal, CancellationToken token)
    {
        foreach (var path in (string[])[wal.Location, Path.Combine(folder, Path.GetFileName(wal.Location))])
        {
            if (await _files.GetStatusAsync(path, token) is not null)
            {
                return path;
            }
        }

        return null;
    }

    private async ValueTask<IWalDevice> OpenDeviceAsync(string path, WalDeviceMode wanted, CancellationToken token)
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

    private async ValueTask ReuseSpareAsync(string path, CancellationToken token)
    {
        if (await _files.GetStatusAsync(Spare, token) is not { } spare)
        {
            return;
        }

        if (spare.Length != capacity)
        {
            await _files.DeleteAsync(Spare, token);
            return;
        }

        try
        {
            await _files.RenameAsync(Spare, path, token);
            await _files.SyncDirectoryAsync(folder, token);
        }
        catch (IOException failure) when (failure.HResult == LinuxError.NoEntry)
        {
            // Another process was quicker; this WAL gets a new file.
        }
    }

    // Repeatable: should whoever completes a recovery fail, the next start tries again.
    private async ValueTask GiveUpAsync(string path)
    {
        var parent = Path.GetDirectoryName(path)!;
        if (parent != Path.GetDirectoryName(Spare))
        {
            // From where WALs lay once: a spare there would never be used.
            await _files.DeleteAsync(path);
        }
        else if (await _files.GetStatusAsync(path) is not null)
        {
            await _files.RenameAsync(path, Spare);
        }

        await _files.SyncDirectoryAsync(parent);
    }
}
