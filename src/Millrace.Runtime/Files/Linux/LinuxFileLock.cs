using Microsoft.Win32.SafeHandles;

namespace Millrace.Runtime.Files.Linux;

/// <summary>
/// An flock: it belongs to this open file, so it ends with the process at the latest, however that dies. Of a block device, which may have several files, it
/// is a claim to the device itself (open with O_EXCL), as mounted file systems have it.
/// </summary>
internal sealed class LinuxFileLock : IAsyncDisposable
{
    private readonly SafeFileHandle _file;
    private readonly string _path;

    private LinuxFileLock(SafeFileHandle file, string path) => (_file, _path) = (file, path);

    public ValueTask DisposeAsync()
    {
        if (!_file.IsClosed)
        {
            using (_file)
            {
                LinuxFile.Unlock(_file, _path);
            }
        }

        return ValueTask.CompletedTask;
    }

    internal static IAsyncDisposable? TryTake(string path)
    {
        if (TryOpen(path) is not { } file)
        {
            return null;
        }

        try
        {
            if (LinuxFile.TryLock(file, path))
            {
                return new LinuxFileLock(file, path);
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    private static SafeFileHandle? TryOpen(string path)
    {
        if (LinuxFile.TryGetStatus(path) is not { IsBlockDevice: true })
        {
            return LinuxFile.Open(path, LinuxFile.ReadWrite | LinuxFile.Create);
        }

        try
        {
            return LinuxFile.Open(path, LinuxFile.ReadWrite | LinuxFile.Exclusive);
        }
        catch (IOException claimed) when (claimed.HResult == LinuxError.Busy)
        {
            return null;
        }
    }
}
