using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Compaction;

/// <summary>A committed range that is to lie in another object, with what comes before and after it.</summary>
/// <param name="Source">Where it lies.</param>
/// <param name="Range">As the registry knows it: perhaps only the end of what was written.</param>
/// <param name="Entry">What was written.</param>
internal sealed record MergedPart(SourceObject Source, ObjectRange Range, DataRangeEntry Entry)
{
    /// <summary>Its first part does not count, and is left out.</summary>
    public bool IsCut => Range.StartOffset != Entry.StartOffset;

    /// <summary>The first of its blocks that count.</summary>
    public int FirstBlock => Source.Index.FindBlock(Entry, Range.StartOffset);

    /// <summary>The end of its blocks.</summary>
    public int EndBlock => Entry.FirstBlock + Entry.BlockCount;
}
