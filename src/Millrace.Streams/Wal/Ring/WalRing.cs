using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Ring;

/// <summary>A device seen as header slots and a ring, whose flushes can be believed.</summary>
/// <remarks>Threading: several writes and reads at once; flushes wait for each other, and those that wait share the next.</remarks>
internal sealed class WalRing(IWalDevice device, BufferPool pool)
{
    // One flush at a time: an error of the medium is told to one call only, which must not be of others than those whose bytes it hit.
    private readonly AsyncGate _flushing = new(1);
    private readonly Lock _lock = new();

    // The flush that has not begun yet: it covers whatever is written until it does.
    private TaskCompletionSource? _next;
    private Exception? _flushFailure;

    /// <summary>Bytes.</summary>
    public long Size { get; } = (device.Capacity - RingFormat.RingStart) / RingFormat.Sector * RingFormat.Sector;

    public long Capacity => device.Capacity;

    public WalDeviceMode Mode => device.Mode;

    /// <summary>Writes parts, one behind the other, from a ring position on; their lengths add up to whole sectors.</summary>
    public async ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var place = position % Size;
        var length = 0L;
        foreach (var part in parts)
        {
            length += part.Length;
        }

        if (place + length <= Size)
        {
            await device.WriteAsync(RingFormat.RingStart + place, parts);
            return;
        }

        var (upToEnd, fromStart) = Split(parts, Size - place);
        await device.WriteAsync(RingFormat.RingStart + place, upToEnd);
        await device.WriteAsync(RingFormat.RingStart, fromStart);
    }

    public async ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token)
    {
        var place = position % Size;
        var first = (int)Math.Min(buffer.Length, Size - place);
        await device.ReadAsync(RingFormat.RingStart + place, buffer[..first], token);
        if (first < buffer.Length)
        {
            await device.ReadAsync(RingFormat.RingStart, buffer[first..], token);
        }
    }

    /// <summary>Makes every write that has completed durable. Once one has failed, none succeeds again.</summary>
    public async ValueTask FlushAsync()
    {
        TaskCompletionSource? mine = null;
        Task flushed;
        lock (_lock)
        {
            _next ??= mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
            flushed = _next.Task;
        }

        if (mine is not null)
        {
            await FlushAsync(mine);
        }

        await flushed;
    }

    private async ValueTask FlushAsync(TaskCompletionSource mine)
    {
        await _flushing.EnterAsync(CancellationToken.None);
        lock (_lock)
        {
            // What is written from here on may be too late for it.
            _next = null;
        }

        try
        {
            if (_flushFailure is not null)
            {
                throw new IOException("An earlier flush failed: " + _flushFailure.Message, _flushFailure);
            }

            await device.FlushAsync();
            mine.SetResult();
        }
        catch (Exception failure)
        {
            _flushFailure ??= failure;
            mine.SetException(failure);
        }
        finally
        {
            _flushing.Exit();
        }
    }

    /// <summary>Writes a header to one slot and, when it is durable there, with the next sequence number to the other one.</summary>
    /// <returns>The latter.</returns>
    public async ValueTask<RingHeader> WriteHeadersAsync(RingHeader header)
    {
        await WriteHeaderAsync(header);
        var second = header with { SlotSequence = header.SlotSequence + 1 };
        await WriteHeaderAsync(second);
        return second;
    }

    /// <summary>Writes a header to the slot that its sequence number says and makes it durable; the other slot stays.</summary>
    public async ValueTask WriteHeaderAsync(RingHeader header)
    {
        var sector = pool.Rent(RingFormat.Sector);
        try
        {
            header.Write(sector.Memory.Span);
            await device.WriteAsync(header.SlotSequence % RingFormat.HeaderSlots * RingFormat.Sector, [sector.Memory]);
        }
        finally
        {
            sector.Release();
        }

        await FlushAsync();
    }

    /// <summary>The newest valid header of a WAL, or of whichever the space holds (null); null if there is none.</summary>
    public async ValueTask<RingHeader?> ReadHeaderAsync(Guid? wal, CancellationToken token)
    {
        var sectors = pool.Rent((int)RingFormat.RingStart);
        try
        {
            await device.ReadAsync(0, sectors.Memory, token);
            return RingHeader.Newest(sectors.Memory.Span, wal);
        }
        finally
        {
            sectors.Release();
        }
    }

    /// <summary>The format of the first header slot, whichever version wrote it; null if it holds none.</summary>
    public async ValueTask<ushort?> ReadFormatAsync(CancellationToken token)
    {
        var sector = pool.Rent(RingFormat.Sector);
        try
        {
            await device.ReadAsync(0, sector.Memory, token);
            return RingHeader.FormatOf(sector.Memory.Span);
        }
        finally
        {
            sector.Release();
        }
    }

    private static (List<ReadOnlyMemory<byte>> First, List<ReadOnlyMemory<byte>> Second) Split(IReadOnlyList<ReadOnlyMemory<byte>> parts, long at)
    {
        List<ReadOnlyMemory<byte>> first = [], second = [];
        foreach (var part in parts)
        {
            var inFirst = (int)Math.Min(part.Length, at);
            at -= inFirst;
            if (inFirst > 0)
            {
                first.Add(part[..inFirst]);
            }

            if (inFirst < part.Length)
            {
                second.Add(part[inFirst..]);
            }
        }

        return (first, second);
    }
}
