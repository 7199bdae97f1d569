using System.Globalization;
using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Streams.Wal.Media;

/// <summary>WALs as files in a folder of the local machine: only a process on this machine can recover them.</summary>
/// <remarks>
/// Each incarnation has a file of its own. A file that is not needed any more becomes the spare, and the next incarnation
/// uses it again: space that was written once is faster to write than space that was only reserved. How files are held and fenced, <see cref="WalFiles"/>
/// says.
/// </remarks>
/// <param name="runtime">Its files hold the WALs.</param>
/// <param name="folder">An absolute path.</param>
/// <param name="options">What an operator tunes.</param>
public sealed class WalFolder(NodeRuntime runtime, string folder, WalFolderOptions options) : IWalMedium
{
    private const string Extension = ".wal";

    private readonly IFileSystem _files = runtime.Files;
    private readonly WalFiles _held = new(runtime);

    public WalKind Kind => WalKind.File;

    private string Spare => Path.Combine(folder, "spare.wal");

    public string Locate(Guid wal, IReadOnlyCollection<WalDescriptor> waiting) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{wal:N}{Extension}"));

    public async ValueTask<IWalSpace> MakeAsync(WalDescriptor wal, CancellationToken token)
    {
        await _files.CreateDirectoryAsync(folder, token);
        await ReuseSpareAsync(wal.Location, token);
        return await _held.HoldAsync(wal, wal.Location, options.Capacity, options.Mode, GiveUpAsync, token);
    }

    public async ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token) =>
        await _held.FenceAsync(wal, await FindAsync(wal, token), GiveUpAsync, token);

    public async ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token) =>
        await _held.DiscardAsync(await FindAsync(wal, token), GiveUpAsync, token);

    /// <summary>Any file may: where former ones lie may be the same disk, under another name.</summary>
    public bool SharesRoomWith(WalDescriptor retired) => retired.Kind == Kind;

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

    /// <summary>Where the WAL lies: where the metadata says, or by the same name in this folder, should that have moved. Null if in neither.</summary>
    private ValueTask<string?> FindAsync(WalDescriptor wal, CancellationToken token) =>
        _held.FindAsync([wal.Location, Path.Combine(folder, Path.GetFileName(wal.Location))], token);

    private async ValueTask ReuseSpareAsync(string path, CancellationToken token)
    {
        if (await _files.GetStatusAsync(Spare, token) is not { } spare)
        {
            return;
        }

        if (spare.Length != options.Capacity)
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
            await _held.DeleteAsync(path);
            return;
        }

        if (await _files.GetStatusAsync(path) is not null)
        {
            await _files.RenameAsync(path, Spare);
        }

        await _files.SyncDirectoryAsync(parent);
    }
}
