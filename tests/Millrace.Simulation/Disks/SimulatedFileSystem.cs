using System.Buffers;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>A process's system calls: they take time, fail at times, and may still take effect after the process died.</summary>
internal sealed class SimulatedFileSystem(SimulatedDisk disk, Lane lane) : IFileSystem
{
    private SimulationKernel Kernel => disk.Kernel;

    public async ValueTask CreateDirectoryAsync(string path, CancellationToken token) =>
        await CallAsync(
            () =>
            {
                disk.CreateFolder(Trim(path));
                return true;
            },
            token);

    public async ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token) =>
        await CallAsync(
            () =>
            {
                RequireFolder(path);
                if (disk.Find(path) is not null)
                {
                    throw Errno.AlreadyExists(path);
                }

                var file = disk.NewFile();
                disk.Rename((path, file));
                return new SimulatedAppender(this, file, path);
            },
            token);

    public async ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token) =>
        await CallAsync(
            () =>
            {
                var file = disk.Find(existing) ?? throw Errno.NoSuchFile(existing);
                RequireFolder(created);
                if (disk.Find(created) is not null)
                {
                    return false;
                }

                disk.Rename((created, file));
                return true;
            },
            token);

    public async ValueTask RenameAsync(string from, string to, CancellationToken token) =>
        await CallAsync(
            () =>
            {
                var file = disk.Find(from) ?? throw Errno.NoSuchFile(from);
                RequireFolder(to);
                disk.Rename((from, null), (to, file));
                return true;
            },
            token);

    public async ValueTask<bool> DeleteAsync(string path, CancellationToken token) =>
        await CallAsync(
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

    public async ValueTask<bool> DeleteDirectoryAsync(string path, CancellationToken token) =>
        await CallAsync(() => disk.DeleteFolder(Trim(path)), token);

    public async ValueTask SyncDirectoryAsync(string path, CancellationToken token) =>
        await CallAsync(
            () =>
            {
                if (!disk.FolderExists(Trim(path)))
                {
                    throw Errno.NoSuchFile(path);
                }

                if (Unlucky(disk.Weather.SyncFails, "sync of a folder failed"))
                {
                    throw Errno.DeviceError(path);
                }

                disk.SyncFolder(Trim(path));
                return true;
            },
            token);

    public async ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token) =>
        await CallAsync(
            () => disk.Find(path) is { } file
                ? new FileStatus(file.Length, disk.Links(file), IsDirectory: false, $"simulated:{file.Number}")
                : disk.FolderExists(Trim(path)) ? new FileStatus(0, 1, IsDirectory: true, $"simulated:{path}") : null,
            token);

    public async ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token) =>
        await CallAsync(() => disk.Find(path)?.Read(position, buffer.Span) ?? -1, token);

    public async ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token) =>
        await CallAsync(() => disk.List(Trim(path)).ToArray(), token);

    public async ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token) =>
        await CallAsync(
            () =>
            {
                RequireFolder(path);
                if (disk.Find(path) is null)
                {
                    disk.Rename((path, disk.NewFile()));
                }

                return disk.TryLock(path, lane) ? new HeldLock(disk, path, lane) : null;
            },
            token);

    public async ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token) =>
        await CallAsync(
            () =>
            {
                RequireFolder(path);
                var file = disk.Find(path);
                if (file is null)
                {
                    file = disk.NewFile();
                    file.MakeLengthDurable(capacity);
                    disk.Rename((path, file));
                    disk.SyncFolder(Path.GetDirectoryName(path)!);
                }

                return new SimulatedDevice(this, file, mode, path);
            },
            token);

    /// <summary>A write to a file or a device; sectors arrive together, unless something goes wrong.</summary>
    internal async ValueTask WriteAsync(SimulatedFile file, long position, byte[] bytes, string path, CancellationToken token)
    {
        var write = new SimulatedWrite(file, position, bytes);
        disk.Begin(write);
        await CallAsync(
            () =>
            {
                disk.End(write);
                if (Unlucky(disk.Weather.WriteFails, "write failed"))
                {
                    file.Write(position, bytes, () => Kernel.Random.Chance(0.5));
                    throw Errno.DeviceError(path);
                }

                file.Write(position, bytes);
                return true;
            },
            token,
            neverHappened: () => disk.End(write));
    }

    internal async ValueTask SyncAsync(SimulatedFile file, string path, CancellationToken token)
    {
        // What is written while the sync is under way is not covered.
        var covered = file.LastWrite;
        await CallAsync(
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
            token);
    }

    internal async ValueTask ReadAsync(SimulatedFile file, long position, Memory<byte> buffer, bool direct, CancellationToken token) =>
        await CallAsync(() => file.Read(position, buffer.Span, direct), token);

    private Task<T> CallAsync<T>(Func<T> call, CancellationToken token, Action? neverHappened = null)
    {
        if (token.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(token);
        }

        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var life = disk.Life;
        Kernel.At(Kernel.Now + Kernel.Random.Latency(disk.Weather.Latency), Kernel.World, () =>
        {
            if (life != disk.Life)
            {
                return;
            }

            // A killed process may have been on its way into the kernel, or already there.
            if (lane.Dead && Kernel.Random.Chance(0.5))
            {
                neverHappened?.Invoke();
                return;
            }

            try
            {
                answer.TrySetResult(call());
            }
            catch (IOException failure)
            {
                answer.TrySetException(failure);
            }
        });
        return answer.Task;
    }

    // A folder may be named with a slash at its end.
    private static string Trim(string path) => path.Length > 1 ? path.TrimEnd('/') : path;

    private void RequireFolder(string path)
    {
        if (!disk.FolderExists(Path.GetDirectoryName(path)!))
        {
            throw Errno.NoSuchFile(path);
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
