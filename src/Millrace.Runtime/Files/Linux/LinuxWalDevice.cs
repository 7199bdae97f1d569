using Microsoft.Win32.SafeHandles;

namespace Millrace.Runtime.Files.Linux;

/// <summary>
/// A preallocated file or block device under a WAL. Its few threads of its own do the system calls: a log must not
/// queue behind other work for a thread, and .NET's asynchronous file writes borrow the thread pool's.
/// </summary>
internal sealed class LinuxWalDevice : IWalDevice
{
    /// <summary>
    /// The page size of the cache and of most disks: smaller writes would be a read, a change and a write, and could tear
    /// what stands beside them.
    /// </summary>
    private const int Sector = 4096;

    // Enough to keep a fast device busy with direct writes while a flush waits; more only cost switches.
    private const int Threads = 4;
    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly DeviceThreads _threads;

    private LinuxWalDevice(string path, SafeFileHandle file, long capacity, WalDeviceMode mode)
    {
        _path = path;
        _file = file;
        Capacity = capacity;
        Mode = mode;
        _threads = new DeviceThreads("wal-device", Threads);
    }

    public long Capacity { get; }

    public int SectorSize => Sector;

    public WalDeviceMode Mode { get; }

    public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token = default)
    {
        Check(position, parts);
        return new(_threads.RunAsync(() => Write(position, parts), token));
    }

    public ValueTask WriteThroughAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token = default)
    {
        Check(position, parts);
        return new(_threads.RunAsync(
            () =>
            {
                Write(position, parts);
                LinuxFile.SyncData(_file, _path);
            },
            token));
    }

    public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token = default)
    {
        Check(position, buffer.Length);
        return new(_threads.RunAsync(() => Read(position, buffer.Span), token));
    }

    public ValueTask FlushAsync(CancellationToken token = default) => new(_threads.RunAsync(() => LinuxFile.SyncData(_file, _path), token));

    public async ValueTask DisposeAsync()
    {
        await _threads.DisposeAsync();
        _file.Dispose();
    }

    internal static LinuxWalDevice Open(string path, long capacity, WalDeviceMode mode)
    {
        if (LinuxFile.TryGetStatus(path) is null)
        {
            Allocate(path, capacity);
        }

        var file = LinuxFile.Open(path, LinuxFile.ReadWrite | (mode == WalDeviceMode.Direct ? LinuxFile.Direct : 0));
        try
        {
            var status = LinuxFile.TryGetStatus(path) ?? throw LinuxError.ToException(LinuxError.NoEntry, "statx", path);
            var length = status.IsBlockDevice ? LinuxFile.GetBlockDeviceSize(file, path) : (long)status.Length;
            return new LinuxWalDevice(path, file, length / Sector * Sector, mode);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // Under another name first: a crash half way must not leave a short file under this one. The lock tells whoever clears up behind
    // crashes that this one is being made.
    private static void Allocate(string path, long capacity)
    {
        var unfinished = path + IFileSystem.Unfinished;
        using (var file = LinuxFile.Open(unfinished, LinuxFile.ReadWrite | LinuxFile.Create | LinuxFile.Truncate))
        {
            if (!LinuxFile.TryLock(file, unfinished))
            {
                throw LinuxError.ToException(LinuxError.WouldBlock, "flock", unfinished);
            }

            try
            {
                Fill(file, capacity, unfinished);
                LinuxFile.Rename(unfinished, path);
            }
            catch (Exception failure)
            {
                TryGiveBack(unfinished);
                if (failure is IOException { HResult: LinuxError.NoSpace or LinuxError.QuotaExceeded } full)
                {
                    throw NoRoom(path, capacity, full);
                }

                throw;
            }
            finally
            {
                LinuxFile.Unlock(file, unfinished);
            }
        }

        LinuxFile.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    // Left there, it would keep a full disk full.
    private static void TryGiveBack(string unfinished)
    {
        try
        {
            LinuxFile.TryDelete(unfinished);
        }
        catch (IOException)
        {
            // The first failure tells more, and whoever clears up finds the file.
        }
    }

    private static void Fill(SafeFileHandle file, long capacity, string path)
    {
        if (!LinuxFile.TryAllocate(file, capacity, path))
        {
            WriteZeros(file, capacity);
        }

        LinuxFile.Sync(file, path);
    }

    private static IOException NoRoom(string path, long capacity, IOException failure)
    {
        var free = new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace;
        return new IOException($"{path} needs {capacity} bytes, and its file system has {free} left: {failure.Message}", failure.HResult);
    }

    private static void WriteZeros(SafeFileHandle file, long capacity)
    {
        var zeros = new byte[1 << 20];
        for (var position = 0L; position < capacity; position += zeros.Length)
        {
            RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, capacity - position)), position);
        }
    }

    private void Check(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var length = 0L;
        foreach (var part in parts)
        {
            length += part.Length;
        }

        Check(position, length);
    }

    private void Check(long position, long length) =>
        Invariant.Check(position % Sector == 0 && length % Sector == 0 && position >= 0 && position + length <= Capacity);

    private void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        if (parts.Count == 1)
        {
            RandomAccess.Write(_file, parts[0].Span, position);
        }
        else
        {
            RandomAccess.Write(_file, parts, position);
        }
    }

    private void Read(long position, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var count = RandomAccess.Read(_file, buffer, position);
            if (count == 0)
            {
                throw LinuxError.ToException(LinuxError.InputOutput, "read past the end of", _path);
            }

            position += count;
            buffer = buffer[count..];
        }
    }
}
