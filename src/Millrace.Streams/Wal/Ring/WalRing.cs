using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Ring;

/// <summary>A device seen as header slots and a ring, whose flushes can be believed.</summary>
/// <remarks>Threading: several writes and reads at once; flushes wait for each other.</remarks>
internal sealed class WalRing(IWalDevice device, BufferPool pool)
{
    // One flush at a time: an error of the medium is told to one caller only, which must not be another than the one
    // whose bytes it hit.
    private readonly AsyncGate _flushing = new(1);
    private readonly Func<ValueTask> _flush = () => device.FlushAsync();
    private Exception? _flushFailure;

    /// <summary>Bytes.</summary>
    public long Size { get; } = (device.Capacity - RingFormat.RingStart) / RingFormat.Sector * RingFormat.Sector;

    public long Capacity => device.Capacity;

    public WalDeviceMode Mode => device.Mode;

    /// <summary>Writes parts, one behind the other, from a ring position on; their lengths add up to whole sectors.</summary>
    public async ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var place = position % Size;
        if (place + LengthOf(parts) <= Size)
        {
            await device.WriteAsync(RingFormat.RingStart + place, parts);
            return;
        }

        var (upToEnd, fromStart) = Split(parts, Size - place);
        await device.WriteAsync(RingFormat.RingStart + place, upToEnd);
        await device.WriteAsync(RingFormat.RingStart, fromStart);
    }

    /// <summary>
    /// As <see cref="WriteAsync"/>, and <see cref="FlushAsync"/> behind it: in one call of the device, unless it runs over the ring's end or another flush is
    /// under way.
    /// </summary>
    public async ValueTask WriteThroughAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var place = position % Size;

        // Before the gate is entered, which nothing may keep.
        Func<ValueTask> write = () => device.WriteThroughAsync(RingFormat.RingStart + place, parts);
        if (place + LengthOf(parts) <= Size && _flushing.TryEnter())
        {
            await FlushAloneAsync(write);
            return;
        }

        await WriteAsync(position, parts);
        await FlushAsync();
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
        await _flushing.EnterAsync(CancellationToken.None);
        await FlushAloneAsync(_flush);
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

    // By whoever has entered.
    private async ValueTask FlushAloneAsync(Func<ValueTask> flush)
    {
        try
        {
            if (_flushFailure is not null)
            {
                throw new IOException("An earlier flush failed: " + _flushFailure.Message, _flushFailure);
            }

            await flush();
        }
        catch (Exception failure)
        {
            _flushFailure ??= failure;
            throw;
        }
        finally
        {
            _flushing.Exit();
        }
    }

    private static long LengthOf(IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var length = 0L;
        foreach (var part in parts)
        {
            length += part.Length;
        }

        return length;
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
