using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>A part of a device, as a device of its own. It owns the whole.</summary>
internal sealed class BlockHalf(IWalDevice whole, long start, long length) : IWalDevice
{
    public long Capacity => length;

    public int SectorSize => whole.SectorSize;

    public WalDeviceMode Mode => whole.Mode;

    public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token = default)
    {
        Check(position, parts);
        return whole.WriteAsync(start + position, parts, token);
    }

    public ValueTask WriteThroughAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token = default)
    {
        Check(position, parts);
        return whole.WriteThroughAsync(start + position, parts, token);
    }

    public async ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token = default)
    {
        Check(position, position + buffer.Length);
        try
        {
            await whole.ReadAsync(start + position, buffer, token);
        }
        catch (IOException aborted) when (aborted.HResult == LinuxError.InputOutput)
        {
            // Whoever takes hold of a device aborts all that its former holder has on its way there, reads too. What cannot be read fails again.
            await whole.ReadAsync(start + position, buffer, token);
        }
    }

    public ValueTask FlushAsync(CancellationToken token = default) => whole.FlushAsync(token);

    public ValueTask DisposeAsync() => whole.DisposeAsync();

    private void Check(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var end = position;
        foreach (var part in parts)
        {
            end += part.Length;
        }

        Check(position, end);
    }

    private void Check(long position, long end) => Invariant.Check(position >= 0 && end <= length);
}
