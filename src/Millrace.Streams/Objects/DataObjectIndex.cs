using System.Buffers.Binary;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Objects;

/// <summary>The index of a data object: its ranges, ordered by stream and start offset, and their blocks in the same order.</summary>
/// <remarks>Layout, little endian: i32 range count, i32 block count, the ranges, the blocks.</remarks>
internal sealed class DataObjectIndex(ObjectId id, long objectSize, DataRangeEntry[] ranges, DataBlockEntry[] blocks)
{
    public const int HeaderSize = 8;

    public ObjectId Object => id;

    public long ObjectSize => objectSize;

    public ReadOnlySpan<DataRangeEntry> Ranges => ranges;

    public ReadOnlySpan<DataBlockEntry> Blocks => blocks;

    public int EncodedSize => HeaderSize + ranges.Length * DataRangeEntry.EncodedSize + blocks.Length * DataBlockEntry.EncodedSize;

    /// <summary>Null if the bytes are no index.</summary>
    public static DataObjectIndex? Read(ObjectId id, long objectSize, ReadOnlySpan<byte> from)
    {
        if (from.Length < HeaderSize)
        {
            return null;
        }

        var (rangeCount, blockCount) = (BinaryPrimitives.ReadInt32LittleEndian(from), BinaryPrimitives.ReadInt32LittleEndian(from[4..]));
        if (rangeCount < 0 || blockCount < 0
            || HeaderSize + (long)rangeCount * DataRangeEntry.EncodedSize + (long)blockCount * DataBlockEntry.EncodedSize != from.Length)
        {
            return null;
        }

        var ranges = new DataRangeEntry[rangeCount];
        from = from[HeaderSize..];
        for (var i = 0; i < rangeCount; i++, from = from[DataRangeEntry.EncodedSize..])
        {
            ranges[i] = DataRangeEntry.Read(from);
            if (ranges[i].FirstBlock < 0 || ranges[i].BlockCount < 0 || ranges[i].FirstBlock > blockCount - ranges[i].BlockCount)
            {
                return null;
            }
        }

        var blocks = new DataBlockEntry[blockCount];
        for (var i = 0; i < blockCount; i++, from = from[DataBlockEntry.EncodedSize..])
        {
            blocks[i] = DataBlockEntry.Read(from);
            if (blocks[i].Position < 0 || blocks[i].Size < DataBlock.HeaderSize || blocks[i].Position > objectSize - blocks[i].Size)
            {
                return null;
            }
        }

        return new DataObjectIndex(id, objectSize, ranges, blocks);
    }

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, ranges.Length);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], blocks.Length);
        to = to[HeaderSize..];
        foreach (ref readonly var range in ranges.AsSpan())
        {
            range.Write(to);
            to = to[DataRangeEntry.EncodedSize..];
        }

        foreach (ref readonly var block in blocks.AsSpan())
        {
            block.Write(to);
            to = to[DataBlockEntry.EncodedSize..];
        }
    }

    /// <summary>
    /// The range of a stream that holds all between two offsets, or, if they are the same, ends there or is empty there; -1 if there is none.
    /// </summary>
    public int FindRange(StreamId stream, long startOffset, long endOffset)
    {
        var (low, high) = (0, ranges.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = ranges[middle].Stream < stream ? (middle + 1, high) : (low, middle);
        }

        // A checkpoint alone stands before all other ranges of its stream, and may lie within one of them.
        for (; low < ranges.Length && ranges[low].Stream == stream; low++)
        {
            ref readonly var range = ref ranges[low];
            if (range.StartOffset <= startOffset && (startOffset == endOffset ? range.EndOffset == endOffset : range.EndOffset >= endOffset))
            {
                return low;
            }
        }

        return -1;
    }

    /// <summary>The last of the blocks of a range, from one of them on, that take no more than so many bytes together; that one at least.</summary>
    public int LastWithin(in DataRangeEntry range, int block, int maxBytes)
    {
        var last = block;
        var bytes = (long)blocks[block].Size;
        while (last + 1 < range.FirstBlock + range.BlockCount && bytes + blocks[last + 1].Size <= maxBytes)
        {
            bytes += blocks[++last].Size;
        }

        return last;
    }

    /// <summary>The first block of a range that ends after an offset; the end of its blocks if there is none.</summary>
    public int FindBlock(in DataRangeEntry range, long offset)
    {
        var (low, high) = (range.FirstBlock, range.FirstBlock + range.BlockCount);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (blocks[middle].EndOffset <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
