using Millrace.Runtime.Ids;

namespace Millrace.Streams.Compaction;

/// <summary>Ranges of a stream that follow one another under one epoch, and become one.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">Of all of them.</param>
/// <param name="StartOffset">Where the first begins.</param>
/// <param name="EndOffset">Where the last ends; equal to the start for a checkpoint alone.</param>
/// <param name="Parts">In offset order.</param>
internal sealed record MergedRange(StreamId Stream, StreamEpoch Epoch, long StartOffset, long EndOffset, IReadOnlyList<MergedPart> Parts)
{
    /// <summary>The stream's newest checkpoint, if it is as of the end; older ones are left out.</summary>
    public KeptAttachment? Checkpoint { get; init; }

    public KeptAttachment? Annex { get; init; }

    /// <summary>Bytes of what it is made of.</summary>
    public long Bytes => Parts.Sum(part => part.Source.BytesOf(part.Entry)) + (Checkpoint?.Entry.Length ?? 0) + (Annex?.Entry.Length ?? 0);
}
