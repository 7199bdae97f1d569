using System.Buffers;
using System.Globalization;
using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.ObjectStorage.File;

/// <summary>
/// A store in a folder: each key is a path below it. A created object appears at once and whole, under link(2)'s rule that
/// one of several creators wins, and nothing is shown to anybody before its name would survive a power cut.
/// </summary>
/// <remarks>
/// A body is written and synced under a temporary name, linked to its own, the folder is synced, and only then the
/// temporary name goes. So an object with a second name is one whose creator may not have got to the sync of the
/// folder: a reader that meets one syncs the folder itself before it believes in the object.
/// </remarks>
public sealed class FileObjectStorage : IObjectStorage
{
    internal const string TemporaryFolder = ".tmp";

    // Each write blocks a thread for its syncs.
    private const int WritesAtOnce = 16;

    private readonly NodeRuntime _runtime;
    private readonly IFileSystem _files;
    private readonly string _root;
    private readonly string _temporary;
    private readonly ObjectFolders _folders;
    private readonly AsyncGate _writes = new(WritesAtOnce);

    private FileObjectStorage(NodeRuntime runtime, string root)
    {
        _runtime = runtime;
        _files = runtime.Files;
        _root = root;
        _temporary = Path.Combine(root, TemporaryFolder);
        _folders = new ObjectFolders(_files, root);
        Name = "file://" + root;
    }

    public string Name { get; }

    /// <summary>Opens a folder as a store. Its first write makes it if it is missing: whoever only looks leaves nothing behind.</summary>
    /// <param name="runtime">Its files hold the store.</param>
    /// <param name="root">An absolute path that holds nothing but the store.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="ObjectStorageException">The folder cannot be used.</exception>
    public static async ValueTask<FileObjectStorage> OpenAsync(NodeRuntime runtime, string root, CancellationToken token)
    {
        var store = new FileObjectStorage(runtime, Path.TrimEndingDirectorySeparator(root));
        await store.RunAsync("open", TemporaryFolder, () => store.PrepareAsync(token));
        return store;
    }

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        ObjectKey.Check(key);
        return RunAsync("create", key, () => WriteAsync(body, temporary => LinkAsync(temporary, key, token), token));
    }

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        ObjectKey.Check(key);
        await RunAsync("put", key, () => WriteAsync(body, temporary => RenameAsync(temporary, key, token), token));
    }

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token) => RunAsync("get", key, () => GetCoreAsync(key, token));

    public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token) =>
        RunAsync("read", key, async () =>
        {
            var status = await FindAsync(PathOf(key), token);
            return status is null ? -1
                : position >= status.Length ? 0
                : await _files.ReadAsync(PathOf(key), position, destination, token);
        });

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        RunAsync<IReadOnlyList<ObjectEntry>>("list", prefix, async () =>
        {
            var found = new List<ObjectEntry>();
            await CollectAsync(prefix[..(prefix.LastIndexOf('/') + 1)], new ListRequest(prefix, startAfter, limit, found), token);
            return found;
        });

    public async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token)
    {
        var folders = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            ObjectKey.Check(key);
            var path = PathOf(key);
            if (await RunAsync("delete", key, () => _files.DeleteAsync(path, token)))
            {
                folders.Add(ObjectFolders.Of(path));
            }
        }

        // Synced, so that what is gone stays gone: an object that comes back after a power cut is one nobody knows of.
        foreach (var folder in folders)
        {
            await RunAsync("delete in", folder, () => _folders.DeleteEmptyAsync(folder, token));
        }
    }

    /// <summary>None: a body arrives whole or not at all, and temporary files go when the store is opened.</summary>
    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        ValueTask.FromResult<IReadOnlyList<UnfinishedUpload>>([]);

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private string PathOf(string key) => Path.Combine(_root, key);

    /// <summary>Removes what earlier processes left half written.</summary>
    /// <remarks>
    /// A temporary name with a second one beside it stays: it says that the object's name may not be durable yet. One that a
    /// living process has in work may go: its link then fails, which is a failed attempt like any other.
    /// </remarks>
    private async ValueTask<bool> PrepareAsync(CancellationToken token)
    {
        if (await _files.GetStatusAsync(_root, token) is { IsDirectory: false })
        {
            throw LinuxError.ToException(LinuxError.NotDirectory, "open", _root);
        }

        foreach (var entry in await _files.ListAsync(_temporary, token))
        {
            await DeleteUnlessLinkedAsync(Path.Combine(_temporary, entry.Name), token);
        }

        return true;
    }

    private async ValueTask DeleteUnlessLinkedAsync(string temporary, CancellationToken token)
    {
        if (await _files.GetStatusAsync(temporary, token) is { LinkCount: 1 })
        {
            await _files.DeleteAsync(temporary, token);
        }
    }

    /// <summary>Behind a failure, which tells more than one of this would. What stays goes when the store is opened.</summary>
    private async ValueTask TryDeleteAsync(string temporary)
    {
        try
        {
            await DeleteUnlessLinkedAsync(temporary, CancellationToken.None);
        }
        catch (IOException)
        {
        }
    }

    private async ValueTask<bool> WriteAsync(ReadOnlySequence<byte> body, Func<string, ValueTask<bool>> publish, CancellationToken token)
    {
        await _writes.EnterAsync(token);
        try
        {
            var temporary = Path.Combine(_temporary, _runtime.NewId().ToString("N", CultureInfo.InvariantCulture));
            try
            {
                await using (var file = await CreateTemporaryAsync(temporary, token))
                {
                    await file.AppendAsync(body, token);
                    await file.SyncAsync(token);
                }

                return await publish(temporary);
            }
            catch
            {
                // Failures repeat when the disk is full; what they leave must not add to it.
                await TryDeleteAsync(temporary);
                throw;
            }
        }
        finally
        {
            _writes.Exit();
        }
    }

    private async ValueTask<IFileAppender> CreateTemporaryAsync(string temporary, CancellationToken token)
    {
        try
        {
            return await _files.CreateAsync(temporary, token);
        }
        catch (IOException failure) when (failure.HResult == LinuxError.NoEntry)
        {
            await _files.CreateDirectoryAsync(_temporary, token);
            return await _files.CreateAsync(temporary, token);
        }
    }

    private async ValueTask<bool> LinkAsync(string temporary, string key, CancellationToken token)
    {
        var path = PathOf(key);
        var created = await _folders.InFolderAsync(ObjectFolders.Of(path), () => _files.TryLinkAsync(temporary, path, token), token);
        if (created)
        {
            // Should this fail, the temporary name stays, and with it the mark that the new name may not last.
            await _folders.MakeDurableAsync(ObjectFolders.Of(path), token);
        }

        await _files.DeleteAsync(temporary, token);
        return created;
    }

    private async ValueTask<bool> RenameAsync(string temporary, string key, CancellationToken token)
    {
        var path = PathOf(key);
        await _folders.InFolderAsync(
            ObjectFolders.Of(path),
            async () =>
            {
                await _files.RenameAsync(temporary, path, token);
                return true;
            },
            token);
        await _folders.MakeDurableAsync(ObjectFolders.Of(path), token);
        return true;
    }

    private async ValueTask<FileStatus?> FindAsync(string path, CancellationToken token)
    {
        var status = await _files.GetStatusAsync(path, token);
        if (status is { IsDirectory: false, LinkCount: > 1 })
        {
            await _folders.MakeDurableAsync(ObjectFolders.Of(path), token);
        }

        // No key is another one's folder: whatever looks for an object here would wait for ever to make it.
        return status is { IsDirectory: true } ? throw LinuxError.ToException(LinuxError.IsDirectory, "open", path) : status;
    }

    private async ValueTask<byte[]?> GetCoreAsync(string key, CancellationToken token)
    {
        var path = PathOf(key);
        var status = await FindAsync(path, token);
        if (status is null)
        {
            return null;
        }

        var body = new byte[status.Length];
        var count = await _files.ReadAsync(path, 0, body, token);
        return count < 0 ? null
            : count == body.Length ? body
            : throw new IOException($"{path} has {count} of {body.Length} bytes");
    }

    private async ValueTask<bool> CollectAsync(string folder, ListRequest request, CancellationToken token)
    {
        var entries = await _files.ListAsync(Path.Combine(_root, folder), token);

        // In the order of the keys below them: a folder sorts as its name with a slash.
        foreach (var (key, isFolder) in entries
            .Where(entry => entry.Name[0] != '.')
            .Select(entry => (Key: folder + entry.Name + (entry.IsDirectory ? "/" : ""), entry.IsDirectory))
            .OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (request.Found.Count == request.Limit)
            {
                return true;
            }

            if (isFolder)
            {
                if (request.MayHoldWanted(key))
                {
                    await CollectAsync(key, request, token);
                }
            }
            else if (request.Wants(key) && await FindAsync(PathOf(key), token) is { } status)
            {
                request.Found.Add(new(key, status.Length));
            }
        }

        return true;
    }

    private async ValueTask<T> RunAsync<T>(string operation, string key, Func<ValueTask<T>> call)
    {
        try
        {
            return await call();
        }
        catch (IOException failure)
        {
            var error = failure.HResult switch
            {
                LinuxError.AccessDenied or LinuxError.NotPermitted => ObjectStorageError.AccessDenied,
                LinuxError.ReadOnly or LinuxError.NotDirectory or LinuxError.IsDirectory or LinuxError.NameTooLong or LinuxError.Invalid =>
                    ObjectStorageError.Invalid,
                _ => ObjectStorageError.Transient,
            };
            throw new ObjectStorageException(error, $"{Name}: {operation} '{key}' failed: {failure.Message}", failure)
            {
                IsForWantOfRoom = failure.HResult is LinuxError.NoSpace or LinuxError.QuotaExceeded,
            };
        }
    }

    private readonly record struct ListRequest(string Prefix, string? StartAfter, int Limit, List<ObjectEntry> Found)
    {
        public bool Wants(string key) =>
            key.StartsWith(Prefix, StringComparison.Ordinal) && (StartAfter is null || string.CompareOrdinal(key, StartAfter) > 0);

        /// <param name="folder">With its closing slash.</param>
        public bool MayHoldWanted(string folder) =>
            (folder.StartsWith(Prefix, StringComparison.Ordinal) || Prefix.StartsWith(folder, StringComparison.Ordinal))
            && (StartAfter is null || StartAfter.StartsWith(folder, StringComparison.Ordinal) || string.CompareOrdinal(folder, StartAfter) > 0);
    }
}
