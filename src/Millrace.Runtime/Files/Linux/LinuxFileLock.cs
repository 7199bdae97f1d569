using Microsoft.Win32.SafeHandles;

namespace Millrace.Runtime;

/// <summary>An flock: it belongs to this open file, so it ends with the process at the latest, however that dies.</summary>
internal sealed class LinuxFileLock : IAsyncDisposable
{
    private readonly SafeFileHandle _file;

    private LinuxFileLock(SafeFileHandle file) => _file = file;

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static IAsyncDisposable? TryTake(string path)
    {
        var file = LinuxFile.Open(path, LinuxFile.ReadWrite | LinuxFile.Create);
        try
        {
            if (LinuxFile.TryLock(file, path))
            {
                return new LinuxFileLock(file);
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
