using System.Globalization;
using Millrace.Runtime.Linux;

namespace Millrace.Runtime.Files.Linux;

/// <summary>The real files of a Linux machine. Blocking calls run on the scheduler it is given, never on the caller's thread.</summary>
/// <param name="scheduler">Where system calls block: the thread pool's, in production.</param>
public sealed class LinuxFileSystem(TaskScheduler scheduler) : IFileSystem
{
    /// <summary>
    /// Bytes from which an append goes past the page cache. The kernel's copy, into pages that it has to find and to write back
    /// and drop later, costs several times the copy that aligns the bytes; smaller appends cost no less without it. Reads stay
    /// with the page cache: pinning the pages of a direct read costs as much as the copy, and nothing reads ahead.
    /// </summary>
    public int DirectFrom { get; init; } = 256 << 10;

    public async ValueTask CreateDirectoryAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => CreateDirectory(path), token);

    public async ValueTask<IFileAppender> CreateAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => new LinuxFileAppender(this, path, LinuxFile.Open(path, LinuxFile.ReadWrite | LinuxFile.Create | LinuxFile.Exclusive)), token);

    public async ValueTask<bool> TryLinkAsync(string existing, string created, CancellationToken token = default) =>
        await RunAsync(() => LinuxFile.TryLink(existing, created), token);

    public async ValueTask RenameAsync(string from, string to, CancellationToken token = default) =>
        await RunAsync(() => LinuxFile.Rename(from, to), token);

    public async ValueTask<bool> DeleteAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => LinuxFile.TryDelete(path), token);

    public async ValueTask<bool> DeleteDirectoryAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => LinuxFile.TryDeleteDirectory(path), token);

    public async ValueTask SyncDirectoryAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => LinuxFile.SyncDirectory(path), token);

    public async ValueTask<FileStatus?> GetStatusAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => LinuxFile.TryGetStatus(path) is { } status ? ToFileStatus(path, status) : null, token);

    public async ValueTask<int> ReadAsync(string path, long position, Memory<byte> buffer, CancellationToken token = default) =>
        await RunAsync(() => Read(path, position, buffer.Span), token);

    public async ValueTask<IReadOnlyList<FileEntry>> ListAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => List(path), token);

    public async ValueTask<IAsyncDisposable?> TryLockAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => LinuxFileLock.TryTake(path), token);

    public async ValueTask<IDeviceReservations> OpenReservationsAsync(string path, CancellationToken token = default) =>
        await RunAsync(() => new LinuxReservations(this, LinuxFile.Open(path, LinuxFile.ReadWrite), path), token);

    public async ValueTask<IWalDevice> OpenDeviceAsync(string path, long capacity, WalDeviceMode mode, CancellationToken token = default) =>
        await RunAsync(() => LinuxWalDevice.Open(path, capacity, mode), token);

    internal Task RunAsync(Action blocking, CancellationToken token) =>
        Task.Factory.StartNew(blocking, token, TaskCreationOptions.DenyChildAttach, scheduler);

    internal Task<T> RunAsync<T>(Func<T> blocking, CancellationToken token) =>
        Task.Factory.StartNew(blocking, token, TaskCreationOptions.DenyChildAttach, scheduler);

    // An inode number may be given out again once its file is gone; together with the time of birth it is unique.
    private static FileStatus ToFileStatus(string path, in LinuxStatus status) => status.IsBlockDevice ? LinuxBlockDevice.GetStatus(path, status) : new(
        (long)status.Length,
        (int)status.LinkCount,
        status.IsDirectory,
        (status.Mask & LinuxStatus.HasBirth) == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{status.Inode}")
            : string.Create(CultureInfo.InvariantCulture, $"{status.Inode}:{status.BirthSeconds}.{status.BirthNanoseconds:D9}"));

    private static void CreateDirectory(string path)
    {
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path));
        if (parent is null)
        {
            return;
        }

        if (LinuxFile.TryGetStatus(path) is null)
        {
            CreateDirectory(parent);
            LinuxFile.TryMakeDirectory(path);
        }

        // Also where it was there already: whoever made it may not have got to this.
        LinuxFile.SyncDirectory(parent);
    }

    private static int Read(string path, long position, Span<byte> buffer)
    {
        using var file = LinuxFile.TryOpen(path, LinuxFile.ReadOnly);
        if (file is null)
        {
            return -1;
        }

        var total = 0;
        while (total < buffer.Length)
        {
            var count = RandomAccess.Read(file, buffer[total..], position + total);
            if (count == 0)
            {
                break;
            }

            total += count;
        }

        return total;
    }

    private static FileEntry[] List(string path)
    {
        try
        {
            FileEntry[] entries = [.. new DirectoryInfo(path).EnumerateFileSystemInfos().Select(entry => new FileEntry(entry.Name, entry is DirectoryInfo))];
            Array.Sort(entries, static (left, right) => string.CompareOrdinal(left.Name, right.Name));
            return entries;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException(refused.Message, LinuxError.AccessDenied);
        }
    }
}
