using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>A process's system calls: they take time, fail at times, and may still take effect after the process died.</summary>
internal sealed class SimulatedFileSystem(SimulatedDisk disk, Lane lane) : IFileSystem
{
    // A folder grows by blocks: most names find room in the last one.
    private const int BlockBytes = 4096;
    private const double NameNeedsBlock = 0.2;
    private readonly Lane _lane = lane;

    private SimulationKernel Kernel => disk.Kernel;

    // Call by call, as on a real machine: between any two the power may fail.
    public async ValueTask CreateDirectoryAsync(string path, CancellationToken token)
    {
        if (Path.GetDirectoryName(Trim(path)) is not { } parent)
        {
            return;
        }

        if (await GetStatusAsync(path, token) is null)
        {
            await CreateDirectoryAsync(parent, token);
            await CallAsync(path, () => TakeBlock(path) && disk.TryMakeFolder(Trim(path)), token);
        }

        await SyncDirectoryAsync(parent, token);
    }

    public ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token) =>
        CallAsync<IFileAppender>(path, () => new SimulatedAppender(this, Create(path, mayExist: false), path), token);

    public ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token) =>
        CallAsync(
            created,
            () =>
            {
                var file = Require(existing);
                RequireFolder(created);
                if (disk.Find(created) is not null)
                {
                    return false;
                }

                TakeRoomForName(created);
                disk.Rename((created, file));
                return true;
            },
            token);

    public ValueTask RenameAsync(string from, string to, CancellationToken token) =>
        WithoutResult(CallAsync(
            to,
            () =>
            {
                var file = Require(from);
                RequireFolder(to);
                TakeRoomForName(to);
                disk.Rename((from, null), (to, file));
                return true;
            },
            token));

    public ValueTask<bool> DeleteAsync(string path, CancellationToken token) =>
        CallAsync(
            path,
            () =>
            {
                if (disk.Find(path) is null)
                {
                    return false;
                }

                disk.Rename((path, null));
                return true;
            },
            token);

    public ValueTask<bool> DeleteDirectoryAsync(string path, CancellationToken token) =>
        CallAsync(path, () => disk.TryDeleteFolder(Trim(path)), token);

    public ValueTask SyncDirectoryAsync(string path, CancellationToken token) =>
        WithoutResult(CallAsync(
            path,
            () =>
            {
                var folder = disk.FindFolder(Trim(path)) ?? throw Errno.NoSuchFile(path);
                if (Unlucky(disk.Weather.SyncFails, "sync of a folder failed"))
                {
                    throw Errno.DeviceError(path);
                }

                disk.SyncFolder(folder);
                return true;
            },
            token));

    public ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token) =>
        CallAsync<FileStatus?>(
            path,
            () => disk.Find(path) is { } file ? new FileStatus(file.Length, file.Links, IsDirectory: false, $"simulated:{file.Number}")
                : disk.FindFolder(Trim(path)) is { } folder ? new FileStatus(0, 1, IsDirectory: true, $"simulated:{folder.Number}")
                : null,
            token);

    public ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token) =>
        CallAsync(path, () => disk.Find(path)?.Read(position, buffer.Span) ?? -1, token, onFailure: () => Spoil(buffer), bytes: buffer.Length);

    public ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token) =>
        CallAsync<IReadOnlyList<FileEntry>>(path, () => disk.List(Trim(path)).ToArray(), token);

    public ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token) =>
        CallAsync<IAsyncDisposable?>(
            path,
            () =>
            {
                Create(path, mayExist: true);
                return disk.TryLock(path, _lane) ? new HeldLock(disk, path, _lane) : null;
            },
            token);

    /// <summary>None: a simulated disk is its machine's alone.</summary>
    public ValueTask<IDeviceReservations> OpenReservationsAsync(string path, CancellationToken token) =>
        throw new IOException($"{path} has no reservations", LinuxError.NotSupported);

    public async ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token)
    {
        if (await GetStatusAsync(path, token) is null)
        {
            await new DeviceAllocation(this, path, capacity).RunAsync(token);
        }

        return await CallAsync<IWalDevice>(path, () => new SimulatedDevice(this, Require(path), mode, path), token);
    }

    /// <summary>Opens a file for writing under a name that may not be there yet: O_CREAT, with O_EXCL or without.</summary>
    internal SimulatedFile Create(string path, bool mayExist)
    {
        RequireFolder(path);
        if (disk.Find(path) is { } there)
        {
            return mayExist ? there : throw Errno.AlreadyExists(path);
        }

        TakeRoomForName(path);
        var file = disk.NewFile();
        disk.Rename((path, file));
        return file;
    }

    /// <summary>Makes a file longer, with zeros, as far as there is room: fallocate.</summary>
    internal bool Allocate(SimulatedFile file, long length, string path)
    {
        var wanted = Math.Max(0, length - file.Length);
        var taken = disk.Space.Take(wanted);
        file.Allocate(file.Length + taken);
        return taken == wanted ? true : throw NoSpace(path);
    }

    /// <summary>A write to a file or a device; sectors arrive together, unless something goes wrong.</summary>
    internal ValueTask WriteAsync(SimulatedFile file, SimulatedWrite write, string path, CancellationToken token)
    {
        disk.Begin(write);
        return WithoutResult(CallAsync(
            path,
            () =>
            {
                disk.End(write);
                CheckUnchanged(write, path);
                var longer = Math.Max(0, write.Position + write.Bytes.Length - file.Length);
                var room = disk.Space.Take(longer);
                if (Unlucky(disk.Weather.WriteFails, "write failed"))
                {
                    file.Write(write.Position, write.Bytes.AsSpan(0, write.Bytes.Length - (int)(longer - room)), () => Kernel.Random.Chance(0.5));
                    throw Errno.DeviceError(path);
                }

                file.Write(write.Position, write.Bytes.AsSpan(0, write.Bytes.Length - (int)(longer - room)));
                return room == longer ? true : throw NoSpace(path);
            },
            token,
            onFailure: () => disk.End(write),
            bytes: write.Bytes.Length));
    }

    internal ValueTask SyncAsync(SimulatedFile file, string path, CancellationToken token)
    {
        // What is written while the sync is under way is not covered.
        var covered = file.LastWrite;
        return WithoutResult(CallAsync(
            path,
            () =>
            {
                if (Unlucky(disk.Weather.SyncFails, "sync failed"))
                {
                    file.Sync(covered, () => Kernel.Random.Chance(0.5));
                    throw Errno.DeviceError(path);
                }

                file.Sync(covered);
                return true;
            },
            token));
    }

    internal ValueTask ReadAsync(SimulatedFile file, long position, Memory<byte> buffer, bool direct, string path, CancellationToken token) =>
        WithoutResult(CallAsync(
            path,
            () =>
            {
                file.Read(position, buffer.Span, direct);
                return true;
            },
            token,
            onFailure: () => Spoil(buffer),
            bytes: buffer.Length));

    /// <summary>
    /// One system call. One that fails, or that its process did not live to make, leaves to <paramref name="onFailure"/> what it has
    /// done in part.
    /// </summary>
    internal ValueTask<T> CallAsync<T>(string path, Func<T> call, CancellationToken token, Action? onFailure = null, long bytes = 0)
    {
        if (token.IsCancellationRequested)
        {
            onFailure?.Invoke();
            return ValueTask.FromCanceled<T>(token);
        }

        // It completes on the world's lane, from where everything that awaits it is queued on its own.
        var answer = new TaskCompletionSource<T>();
        var life = disk.Life;
        Kernel.At(Kernel.Now + Kernel.Random.Latency(disk.Weather.Latency), Kernel.World, () => disk.Link.Send(bytes, () =>
        {
            if (life != disk.Life)
            {
                return;
            }

            // A killed process may have been on its way into the kernel, or already there.
            if (_lane.Dead && Kernel.Random.Chance(0.5))
            {
                onFailure?.Invoke();
                return;
            }

            try
            {
                if (Unlucky(disk.Weather.CallFails, "call failed"))
                {
                    onFailure?.Invoke();
                    throw Errno.Any(Kernel.Random, path);
                }

                answer.TrySetResult(call());
            }
            catch (IOException failure)
            {
                answer.TrySetException(failure);
            }
        }));
        return new ValueTask<T>(answer.Task);
    }

    internal static ValueTask WithoutResult(ValueTask<bool> call) => new(call.AsTask());

    // A folder may be named with a slash at its end.
    private static string Trim(string path) => path.Length > 1 ? path.TrimEnd('/') : path;

    private SimulatedFile Require(string path) => disk.Find(path) ?? throw Errno.NoSuchFile(path);

    private void RequireFolder(string path)
    {
        if (disk.FindFolder(Path.GetDirectoryName(path)!) is null)
        {
            throw Errno.NoSuchFile(path);
        }
    }

    private bool TakeBlock(string path) => disk.Space.Take(BlockBytes) == BlockBytes ? true : throw NoSpace(path);

    private void TakeRoomForName(string path)
    {
        if (disk.Space.IsLimited && Kernel.Random.Chance(NameNeedsBlock))
        {
            TakeBlock(path);
        }
    }

    private IOException NoSpace(string path)
    {
        Kernel.Coverage.Count(CoverageNames.Faults);
        Kernel.Coverage.Count("disk: no space left");
        return Errno.NoSpace(path);
    }

    // Whoever reads a buffer after an error finds that out.
    private void Spoil(Memory<byte> buffer)
    {
        if (!_lane.Dead)
        {
            buffer.Span[..Kernel.Random.Next(buffer.Length + 1)].Fill(0xEE);
        }
    }

    private void CheckUnchanged(SimulatedWrite write, string path)
    {
        if (!_lane.Dead && !write.IsUnchanged)
        {
            Kernel.Fail(new InvalidOperationException($"What is written to {path} at {write.Position} changed while it was being written"));
        }
    }

    private bool Unlucky(double rate, string what)
    {
        if (!Kernel.Random.Chance(rate))
        {
            return false;
        }

        Kernel.Coverage.Count(CoverageNames.Faults);
        Kernel.Coverage.Count($"disk: {what}");
        return true;
    }

    private sealed class HeldLock(SimulatedDisk disk, string path, Lane lane) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            disk.Unlock(path, lane);
            return ValueTask.CompletedTask;
        }
    }
}
