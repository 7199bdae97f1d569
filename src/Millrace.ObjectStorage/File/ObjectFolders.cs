using System.Collections.Concurrent;
using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.ObjectStorage.File;

/// <summary>
/// The folders of a folder store: made when something is put into them, deleted with their last object, and synced, up to the root, before anybody
/// believes in what they hold.
/// </summary>
/// <remarks>Threading: any thread. Errors: those of the file system.</remarks>
/// <param name="files">Where the store lies.</param>
/// <param name="root">The store's own folder, which stays.</param>
internal sealed class ObjectFolders(IFileSystem files, string root)
{
    // A folder may be deleted, as empty, between its making and the link into it; each round needs a deleter in another process.
    private const int LinkAttempts = 16;

    // Held to make folders and put something in, and to delete empty ones: those of one process do not race.
    private readonly AsyncGate _changes = new(1);

    // Folders whose own names are durable all the way up, by path and identity: one that was deleted and made anew is not.
    private readonly ConcurrentDictionary<string, string> _durable = new(StringComparer.Ordinal);

    /// <summary>The folder that a path lies in.</summary>
    public static string Of(string path) => Path.GetDirectoryName(path)!;

    /// <summary>Gives an object its name in a folder, which is made if it is missing.</summary>
    /// <param name="folder">A full path.</param>
    /// <param name="publish">Fails with <see cref="LinuxError.NoEntry"/> where there is no such folder; may be called again then.</param>
    /// <param name="token">Ends the wait.</param>
    public async ValueTask<bool> InFolderAsync(string folder, Func<ValueTask<bool>> publish, CancellationToken token)
    {
        try
        {
            return await publish();
        }
        catch (IOException failure) when (failure.HResult == LinuxError.NoEntry)
        {
            return await InNewFolderAsync(folder, publish, token);
        }
    }

    /// <summary>Syncs a folder that holds something new, and the names of the folders above it where that was not done yet.</summary>
    public async ValueTask MakeDurableAsync(string folder, CancellationToken token)
    {
        if (!await TrySyncAsync(folder, token))
        {
            return;
        }

        var identity = (await files.GetStatusAsync(folder, token))?.Identity;
        if (identity is null || (_durable.TryGetValue(folder, out var known) && known == identity))
        {
            // Gone: then so is what was in it, by somebody who deleted it.
            return;
        }

        // What is in the folder keeps every folder above it from being deleted, so the chain cannot change any more.
        for (var above = folder; above.Length > root.Length;)
        {
            above = Of(above);
            await TrySyncAsync(above, token);
        }

        _durable[folder] = identity;
    }

    /// <summary>Deletes a folder, and those above it, as far as they are empty, and makes that last.</summary>
    public async ValueTask<bool> DeleteEmptyAsync(string folder, CancellationToken token)
    {
        await _changes.EnterAsync(token);
        try
        {
            while (folder.Length > root.Length && await files.DeleteDirectoryAsync(folder, token))
            {
                _durable.TryRemove(folder, out _);
                folder = Of(folder);
            }
        }
        finally
        {
            _changes.Exit();
        }

        return await TrySyncAsync(folder, token);
    }

    private async ValueTask<bool> InNewFolderAsync(string folder, Func<ValueTask<bool>> publish, CancellationToken token)
    {
        await _changes.EnterAsync(token);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await files.CreateDirectoryAsync(folder, token);
                    return await publish();
                }
                catch (IOException failure) when (failure.HResult == LinuxError.NoEntry && attempt < LinkAttempts)
                {
                    token.ThrowIfCancellationRequested();
                }
            }
        }
        finally
        {
            _changes.Exit();
        }
    }

    /// <summary>False if the folder is gone: another process deleted it with all that was in it.</summary>
    private async ValueTask<bool> TrySyncAsync(string folder, CancellationToken token)
    {
        try
        {
            await files.SyncDirectoryAsync(folder, token);
            return true;
        }
        catch (IOException failure) when (failure.HResult == LinuxError.NoEntry)
        {
            return false;
        }
    }
}
