using System.Globalization;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.File;

/// <summary>WALs as files in a folder of the local machine: only a process on this machine can recover them.</summary>
/// <remarks>
/// Each incarnation has a file of its own. A file that is not needed any more becomes the spare, and the next incarnation
/// uses it again: space that was written once is faster to write than space that was only reserved. Threading: any thread.
/// </remarks>
/// <param name="runtime">Its files hold the WALs.</param>
/// <param name="pool">Lends the buffers.</param>
/// <param name="folder">An absolute path.</param>
/// <param name="options">What an operator tunes.</param>
public sealed class FileWalProvider(NodeRuntime runtime, BufferPool pool, string folder, FileWalOptions options) : IWalProvider
{
    private readonly IFileSystem _files = runtime.Files;

    public WalKind Kind => WalKind.File;

    private const string Extension = ".wal";

    private string Spare => Path.Combine(folder, "spare.wal");

    public WalDescriptor Describe(NodeId node, NodeEpoch epoch)
    {
        var id = runtime.NewId();
        return new(id, WalKind.File, Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{id:N}{Extension}")), node, epoch);
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

                Log.UnfinishedRemoved(runtime.Loggers, path);
                removed++;
            }
        }

        if (removed > 0)
        {
            await _files.SyncDirectoryAsync(folder, token);
        }
    }

    public async ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            return await CreateCoreAsync(descriptor, token);
        }
        catch (Exception failure) when (IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The WAL {descriptor.Location} cannot be made: {failure.Message}", failure);
        }
    }

    public async ValueTask<IWalRecovery> TakeOverAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            return await TakeOverCoreAsync(descriptor, token);
        }
        catch (Exception failure) when (IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The WAL {descriptor.Location} cannot be used: {failure.Message}", failure);
        }
    }

    public async ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            if (await TryFindAsync(descriptor, token) is not { } path)
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
        catch (Exception failure) when (IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The retired WAL {descriptor.Location} cannot be deleted: {failure.Message}", failure);
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

    private async ValueTask<IWriteAheadLog> CreateCoreAsync(WalDescriptor descriptor, CancellationToken token)
    {
        var path = descriptor.Location;
        await _files.CreateDirectoryAsync(folder, token);
        await ReuseSpareAsync(path, token);
        var (ring, fileLock) = await OpenAsync(descriptor, path, options.Mode, token);
        try
        {
            var status = await _files.GetStatusAsync(path, token);
            var header = new FileWalHeader
            {
                Id = descriptor.Id,
                Node = descriptor.Node,
                Epoch = descriptor.Epoch,
                Capacity = ring.Capacity,
                Identity = status!.Identity,
            };

            // Both slots: the file may have had another life, whose headers must not be read any more.
            await ring.WriteHeaderAsync(header);
            header = header with { SlotSequence = 1 };
            await ring.WriteHeaderAsync(header);
            return new FileWal(runtime, pool, descriptor, ring, header, fileLock, () => GiveUpAsync(path), options);
        }
        catch
        {
            await ring.DisposeAsync();
            await fileLock.DisposeAsync();
            throw;
        }
    }

    private async ValueTask<IWalRecovery> TakeOverCoreAsync(WalDescriptor descriptor, CancellationToken token)
    {
        var path = await TryFindAsync(descriptor, token) ?? throw new WalUnavailableException(
            descriptor,
            $"The WAL {descriptor.Location} of node {descriptor.Node} is missing.");
        var (ring, fileLock) = await OpenAsync(descriptor, path, WalDeviceMode.Direct, token);
        try
        {
            // What a killed writer left in the page cache becomes durable here, or fails. Reading past the page cache then sees
            // what the medium has: after a failed flush the cache holds bytes that the medium never got.
            await ring.FlushAsync();
            var header = await ReadHeaderAsync(descriptor, path, ring, token);
            using (var reader = new WalBlockReader(ring, pool, header))
            {
                header = await FileWalScan.FindEndAsync(descriptor, reader, header, ring.Size, token);
            }

            if (!header.IsSealed)
            {
                header = header with { IsSealed = true, SlotSequence = header.SlotSequence + 1 };
                await ring.WriteHeaderAsync(header);
            }

            Log.WalSealed(runtime.Loggers, descriptor.Location, header.EndSequence - header.TrimSequence, header.EndRingPosition - header.TrimRingPosition);
            return new FileWalRecovery(descriptor, ring, pool, header, fileLock, () => GiveUpAsync(path));
        }
        catch
        {
            await ring.DisposeAsync();
            await fileLock.DisposeAsync();
            throw;
        }
    }

    private async ValueTask<FileWalHeader> ReadHeaderAsync(WalDescriptor descriptor, string path, WalRing ring, CancellationToken token)
    {
        var header = await ring.ReadHeaderAsync(descriptor.Id, token);
        var status = await _files.GetStatusAsync(path, token);
        var wrong = header is null || header.Epoch != descriptor.Epoch || header.Node != descriptor.Node ? "is not the WAL of that node: it was replaced or overwritten"
            : header.Identity != status?.Identity ? "is a copy of the WAL: it may lack records that were acknowledged after it was copied"
            : header.Capacity != ring.Capacity ? $"has {ring.Capacity} bytes and had {header.Capacity}"
            : null;
        return wrong is null ? header! : throw new WalUnavailableException(
            descriptor, $"The file {path} {wrong}. What is needed is the file that node {descriptor.Node} wrote.");
    }

    /// <summary>Where the WAL lies: where the metadata says, or by the same name in this folder, should that have moved. Null if in neither.</summary>
    private async ValueTask<string?> TryFindAsync(WalDescriptor descriptor, CancellationToken token)
    {
        foreach (var path in (string[])[descriptor.Location, Path.Combine(folder, Path.GetFileName(descriptor.Location))])
        {
            if (await _files.GetStatusAsync(path, token) is not null)
            {
                return path;
            }
        }

        return null;
    }

    private async ValueTask<(WalRing Ring, IAsyncDisposable FileLock)> OpenAsync(
        WalDescriptor descriptor, string path, WalDeviceMode mode, CancellationToken token)
    {
        var device = await OpenDeviceAsync(path, mode, token);
        try
        {
            if (device.Capacity < FileWalFormat.RingStart + FileWalFormat.Sector)
            {
                throw new WalUnavailableException(
                    descriptor, $"The file {path} has {device.Capacity} bytes, which is no WAL: it was cut short. What is needed is the file that node {descriptor.Node} wrote.");
            }

            var fileLock = await _files.TryLockAsync(path, token)
                ?? throw new WalUnavailableException(descriptor, $"The WAL {path} is held by a living process: stop that first");
            return (new WalRing(device, pool), fileLock);
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    private async ValueTask<IWalDevice> OpenDeviceAsync(string path, WalDeviceMode mode, CancellationToken token)
    {
        try
        {
            return await _files.OpenDeviceAsync(path, options.Capacity, mode, token);
        }
        catch (IOException failure) when (mode == WalDeviceMode.Direct && failure.HResult == LinuxError.Invalid)
        {
            // A file system without O_DIRECT.
            Log.NoDirectWrites(runtime.Loggers, path);
            return await _files.OpenDeviceAsync(path, options.Capacity, WalDeviceMode.Buffered, token);
        }
    }

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

    // .NET has another exception for what is not permitted.
    private static bool IsOfMedium(Exception failure) => failure is IOException or UnauthorizedAccessException;

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
