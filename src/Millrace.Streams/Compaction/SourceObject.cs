using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Compaction;

/// <summary>An object that is being merged with others, and its index, which holds what the registry says that it does.</summary>
internal sealed class SourceObject
{
    /// <exception cref="StreamException">Corrupt: the index is not that of what was committed.</exception>
    public SourceObject(CompactionSource source, DataObjectIndex index)
    {
        (Source, Index) = (source, index);
        var digest = default(RangeDigest);
        foreach (ref readonly var range in index.Ranges)
        {
            digest += range.Digest;
        }

        if (digest != source.Digest)
        {
            throw DataObjectReader.Corrupt(source.Object, "its index names other records than were committed");
        }
    }

    public CompactionSource Source { get; }

    public ObjectId Id => Source.Object;

    public DataObjectIndex Index { get; }

    /// <summary>Where a committed range of it lies.</summary>
    /// <exception cref="StreamException">Corrupt: it does not.</exception>
    public DataRangeEntry EntryOf(ObjectRange range)
    {
        var found = Index.FindRange(range.Stream, range.WrittenStartOffset, range.EndOffset);
        return found >= 0 && Index.Ranges[found] is var entry
            && entry.StartOffset == range.WrittenStartOffset && entry.EndOffset == range.EndOffset && entry.Epoch == range.Epoch
                ? entry
                : throw DataObjectReader.Corrupt(Id, $"it does not hold offsets {range.StartOffset} to {range.EndOffset} of stream {range.Stream}");
    }

    /// <summary>Bytes that the blocks of a range take.</summary>
    public long BytesOf(in DataRangeEntry entry)
    {
        var bytes = 0L;
        foreach (ref readonly var block in Index.Blocks.Slice(entry.FirstBlock, entry.BlockCount))
        {
            bytes += block.Size;
        }

        return bytes;
    }
}
