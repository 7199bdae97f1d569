using Millrace.Streams.Wal.File;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>
/// Where a bit of a file WAL may turn over so that somebody must notice: anywhere but in the last blocks, of which nothing else says
/// that they were ever acknowledged. Those cannot be told from torn ones.
/// </summary>
internal static class WalRot
{
    /// <summary>Whether a bad sector at this position is no torn one, by the words of the headers of the other blocks.</summary>
    public static bool IsNoticed(ReadOnlySpan<byte> file, long position)
    {
        if (position < FileWalFormat.RingStart)
        {
            return true;
        }

        // What was trimmed nobody reads.
        var first = FileWalHeader.TryRead(file[..FileWalFormat.Sector]);
        var second = FileWalHeader.TryRead(file.Slice(FileWalFormat.Sector, FileWalFormat.Sector));
        var newest = first is null || second?.SlotSequence > first.SlotSequence ? second : first;
        // Headers may be those of an earlier life or lap of the file; they then prove nothing about a block of this one.
        WalBlockHeader? hit = null;
        List<WalBlockHeader> blocks = [];
        for (var place = FileWalFormat.RingStart; place < file.Length; place += FileWalFormat.Sector)
        {
            if (WalBlockHeader.TryRead(file[(int)place..], out var block))
            {
                blocks.Add(block);
                if (position >= place && position < place + block.BlockLength)
                {
                    hit = block;
                }
            }
        }

        return hit is { } bad && bad.Wal == newest?.Id && bad.Sequence >= newest.TrimSequence
            && blocks.Any(other => other.Wal == bad.Wal && other.Sequence > bad.Sequence && other.Confirmed >= bad.Sequence);
    }
}
