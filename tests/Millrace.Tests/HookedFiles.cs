using System.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Tests;

/// <summary>Files as they are, with a word for the test before each call: it may let it pass, fail it or hold it up.</summary>
internal sealed class HookedFiles(IFileSystem files) : IFileSystem
{
    /// <summary>Is asked with the call's name (of a device: with <c>device</c> behind it) and its path.</summary>
    public Func<string, string, ValueTask> Before { get; set; } = Pass;

    /// <summary>Lets every call pass.</summary>
    public static readonly Func<string, string, ValueTask> Pass = (_, _) => ValueTask.CompletedTask;

    /// <summary>Is told of each write to a device that has come to its end.</summary>
    public Action AfterWrite { get; set; } = () => { };

    /// <summary>Bytes of a write that reach a device before it fails; null lets all of them.</summary>
    public int? DeviceTakes { get; set; }

    public static IOException Full(string path) => new($"write {path}: No space left on device (errno 28)", LinuxError.NoSpace);

    public async ValueTask CreateDirectoryAsync(string path, CancellationToken token)
    {
        await Before("mkdir", path);
        await files.CreateDirectoryAsync(path, token);
    }

    public async ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token)
    {
        await Before("create", path);
        return new Appender(this, path, await files.CreateAsync(path, token));
    }

    public async ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token)
    {
        await Before("link", created);
        return await files.TryLinkAsync(existing, created, token);
    }

    public async ValueTask RenameAsync(string from, string to, CancellationToken token)
    {
        await Before("rename", to);
        await files.RenameAsync(from, to, token);
    }

    public async ValueTask<bool> DeleteAsync(string path, CancellationToken token)
    {
        await Before("delete", path);
        return await files.DeleteAsync(path, token);
    }

    public async ValueTask<bool> DeleteDirectoryAsync(string path, CancellationToken token)
    {
        await Before("rmdir", path);
        return await files.DeleteDirectoryAsync(path, token);
    }

    public async ValueTask SyncDirectoryAsync(string path, CancellationToken token)
    {
        await Before("sync folder", path);
        await files.SyncDirectoryAsync(path, token);
    }

    public async ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token)
    {
        await Before("status", path);
        return await files.GetStatusAsync(path, token);
    }

    public async ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token)
    {
        await Before("read", path);
        return await files.ReadAsync(path, position, buffer, token);
    }

    public async ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token)
    {
        await Before("list", path);
        return await files.ListAsync(path, token);
    }

    public async ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token)
    {
        await Before("lock", path);
        return await files.TryLockAsync(path, token);
    }

    public ValueTask<IDeviceReservations> OpenReservationsAsync(string path, CancellationToken token) => files.OpenReservationsAsync(path, token);

    public async ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token)
    {
        await Before("open device", path);
        return new Device(this, path, await files.OpenDeviceAsync(path, capacity, mode, token));
    }

    private sealed class Appender(HookedFiles owner, string path, IFileAppender file) : IFileAppender
    {
        public async ValueTask AppendAsync(ReadOnlySequence<byte> bytes, CancellationToken token)
        {
            await owner.Before("append", path);
            await file.AppendAsync(bytes, token);
        }

        public async ValueTask SyncAsync(CancellationToken token)
        {
            await owner.Before("sync", path);
            await file.SyncAsync(token);
        }

        public ValueTask DisposeAsync() => file.DisposeAsync();
    }

    private sealed class Device(HookedFiles owner, string path, IWalDevice device) : IWalDevice
    {
        public long Capacity => device.Capacity;

        public int SectorSize => device.SectorSize;

        public WalDeviceMode Mode => device.Mode;

        public async ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token)
        {
            await owner.Before("write device", path);
            if (owner.DeviceTakes is { } taken)
            {
                await device.WriteAsync(position, [parts[0][..taken]], token);
                throw new IOException($"write {path}: Input/output error (errno 5)", LinuxError.InputOutput);
            }

            await device.WriteAsync(position, parts, token);
            owner.AfterWrite();
        }

        public async ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token)
        {
            await owner.Before("read device", path);
            await device.ReadAsync(position, buffer, token);
        }

        public async ValueTask FlushAsync(CancellationToken token)
        {
            await owner.Before("flush device", path);
            await device.FlushAsync(token);
        }

        public ValueTask DisposeAsync() => device.DisposeAsync();
    }
}
