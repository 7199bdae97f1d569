using Microsoft.Win32.SafeHandles;

namespace Millrace.Runtime.Files.Linux;

/// <summary>An flock: it belongs to this open file, so it ends with the process at the latest, however that dies.</summary>
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
        var file = LinuxFile.Open(path, LinuxFile.ReadWrite | LinuxFile.Create);
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
}
