using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Simulation.Disks;

/// <summary>
/// The making of a preallocated file, call by call as <c>LinuxWalDevice</c> makes them: under another name, filled, synced, renamed, and
/// its folder synced. A process that dies in between leaves what it had made.
/// </summary>
internal sealed class DeviceAllocation(SimulatedFileSystem files, string path, long capacity)
{
    private readonly string _unfinished = path + IFileSystem.Unfinished;

    public async ValueTask RunAsync(CancellationToken token)
    {
        var file = await files.CallAsync(_unfinished, Open, token);
        await using (await files.TryLockAsync(_unfinished, token) ?? throw new IOException($"{_unfinished} is being made", LinuxError.WouldBlock))
        {
            try
            {
                await files.CallAsync(_unfinished, () => files.Allocate(file, capacity, _unfinished), token);
                await files.SyncAsync(file, _unfinished, token);
                await files.RenameAsync(_unfinished, path, token);
            }
            catch (IOException)
            {
                await TryDeleteAsync();
                throw;
            }
        }

        await files.SyncDirectoryAsync(Path.GetDirectoryName(path)!, token);
    }

    private SimulatedFile Open()
    {
        var file = files.Create(_unfinished, mayExist: true);
        file.Truncate();
        return file;
    }

    // The error that counts is the first one.
    private async ValueTask TryDeleteAsync()
    {
        try
        {
            await files.DeleteAsync(_unfinished, CancellationToken.None);
        }
        catch (IOException)
        {
            // It stays, and whoever clears up finds it.
        }
    }
}
