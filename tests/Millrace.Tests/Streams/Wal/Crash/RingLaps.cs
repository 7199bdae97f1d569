using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>Brings the end of a new ring to where a test wants it.</summary>
internal static class RingLaps
{
    // At the ring's beginning: the next lap then finds a block's head at each of its sectors.
    private const int SmallBlocks = 8;

    /// <summary>Fills and trims a ring up to a position of it.</summary>
    public static async Task WriteUpToAsync(IWriteAheadLog wal, long ringPosition, CancellationToken token)
    {
        var largest = (wal.MaxRecordBytes / 2 / RingFormat.Sector) * (long)RingFormat.Sector;
        var end = 0L;
        for (var block = 0; end < ringPosition; block++)
        {
            var length = block < SmallBlocks ? RingFormat.Sector : Math.Min(largest, ringPosition - end);
            await wal.AppendAsync(new StreamRecord(new(9), new(5), block, 1, 0, new byte[length - RingBed.BlockHead]), out var position);
            await wal.TrimAsync(position + 1, token);
            end += length;
        }
    }
}
