using System.Buffers;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>A process's system calls: they take time, fail at times, and may still take effect after the process died.</summary>
internal sealed class SimulatedFileSystem(SimulatedDisk disk, Lane lane) : IFileSystem
{
    private SimulationKernel Kernel => disk.Kernel;

    public ValueTask CreateDirectoryAsync(string path, CancellationToken token) =>
        WithoutResult(CallAsync(
            () =>
            {
                disk.CreateFolder(Trim(path));
                return true;
            },
            token));

    public ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token) =>
        CallAsync<IFileAppender>(
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

    public ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token) =>
        CallAsync(
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

    public ValueTask RenameAsync(string from, string to, CancellationToken token) =>
        WithoutResult(CallAsync(
            () =>
            {
                var file = disk.Find(from) ?? throw Errno.NoSuchFile(from);
                RequireFolder(to);
                disk.Rename((from, null), (to, file));
                return true;
            },
            token));

    public ValueTask<bool> DeleteAsync(string path, CancellationToken token) =>
        CallAsync(
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
        CallAsync(() => disk.DeleteFolder(Trim(path)), token);

    public ValueTask SyncDirectoryAsync(string path, CancellationToken token) =>
        WithoutResult(CallAsync(
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
            token));

    public ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token) =>
        CallAsync<FileStatus?>(
            () => disk.Find(path) is { } file
                ? new FileStatus(file.Length, file.Links, IsDirectory: false, $"simulated:{file.Number}")
                : disk.FolderExists(Trim(path)) ? new FileStatus(0, 1, IsDirectory: true, $"simulated:{path}") : null,
            token);

    public ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token) =>
        CallAsync(() => disk.Find(path)?.Read(position, buffer.Span) ?? -1, token);

    public ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token) =>
        CallAsync<IReadOnlyList<FileEntry>>(() => disk.List(Trim(path)).ToArray(), token);

    public ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token) =>
        CallAsync<IAsyncDisposable?>(
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

    public ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token) =>
        CallAsync<IWalDevice>(
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
    internal ValueTask WriteAsync(SimulatedFile file, long position, byte[] bytes, string path, CancellationToken token)
    {
        var write = new SimulatedWrite(file, position, bytes);
        disk.Begin(write);
        return WithoutResult(CallAsync(
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
            neverHappened: () => disk.End(write)));
    }

    internal ValueTask SyncAsync(SimulatedFile file, string path, CancellationToken token)
    {
        // What is written while the sync is under way is not covered.
        var covered = file.LastWrite;
        return WithoutResult(CallAsync(
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

    internal ValueTask ReadAsync(SimulatedFile file, long position, Memory<byte> buffer, bool direct, CancellationToken token) =>
        WithoutResult(CallAsync(
            () =>
            {
                file.Read(position, buffer.Span, direct);
                return true;
            },
            token));

    private static ValueTask WithoutResult(ValueTask<bool> call) => new(call.AsTask());

    private ValueTask<T> CallAsync<T>(Func<T> call, CancellationToken token, Action? neverHappened = null)
    {
        if (token.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(token);
        }

        // It completes on the world's lane, from where everything that awaits it is queued on its own.
        var answer = new TaskCompletionSource<T>();
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
        return new ValueTask<T>(answer.Task);
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
