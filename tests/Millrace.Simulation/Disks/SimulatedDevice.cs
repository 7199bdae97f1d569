using Millrace.Runtime.Files;

namespace Millrace.Simulation.Disks;

/// <summary>A preallocated file under a WAL.</summary>
internal sealed class SimulatedDevice(SimulatedFileSystem files, SimulatedFile file, WalDeviceMode mode, string path) : IWalDevice
{
    public long Capacity => file.Length;

    public int SectorSize => file.SectorSize;

    public WalDeviceMode Mode => mode;

    public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token)
    {
        var write = new SimulatedWrite(file, position, parts);
        CheckAligned(position, write.Bytes.Length);
        return files.WriteAsync(file, write, path, token);
    }

    public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token)
    {
        CheckAligned(position, buffer.Length);
        return files.ReadAsync(file, position, buffer, mode == WalDeviceMode.Direct, path, token);
    }

    public ValueTask FlushAsync(CancellationToken token) => files.SyncAsync(file, path, token);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // A real device answers EINVAL; here it is a mistake of the caller, wherever it shows.
    private void CheckAligned(long position, long length)
    {
        if (position % SectorSize != 0 || length % SectorSize != 0 || position < 0 || position + length > Capacity)
        {
            throw new InvalidOperationException($"{path}: {length} bytes at {position} are not whole sectors of {SectorSize} within {Capacity}");
        }
    }
}
