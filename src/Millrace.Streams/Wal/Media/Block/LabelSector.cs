using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>The beginning of a device, where its label stands, or what is not Millrace's.</summary>
/// <remarks>Threading: one call at a time. Errors: the device's.</remarks>
internal sealed class LabelSector(IWalDevice device, BufferPool pool)
{
    /// <summary>The label, and the format of what looks like one, whichever version wrote it; null where there is none.</summary>
    public async ValueTask<(BlockLabel? Label, ushort? Format)> ReadAsync(CancellationToken token)
    {
        var sector = pool.Rent(BlockLabel.Sector);
        try
        {
            await device.ReadAsync(0, sector.Memory, token);
            return (BlockLabel.TryRead(sector.Memory.Span), BlockLabel.FormatOf(sector.Memory.Span));
        }
        finally
        {
            sector.Release();
        }
    }

    /// <summary>Whether nothing stands where labels, partition tables and file systems begin.</summary>
    public async ValueTask<bool> IsBlankAsync(CancellationToken token)
    {
        var head = pool.Rent((int)Math.Min(BlockLayout.Start, device.Capacity));
        try
        {
            await device.ReadAsync(0, head.Memory, token);
            return head.Memory.Span.IndexOfAnyExcept((byte)0) < 0;
        }
        finally
        {
            head.Release();
        }
    }

    /// <summary>Writes a label, durably.</summary>
    public async ValueTask WriteAsync(BlockLabel label)
    {
        var sector = pool.Rent(BlockLabel.Sector);
        try
        {
            label.Write(sector.Memory.Span);
            await device.WriteAsync(0, [sector.Memory]);
        }
        finally
        {
            sector.Release();
        }

        await device.FlushAsync();
    }
}
