namespace Millrace.Streams.Registry;

/// <summary>One object of a compaction.</summary>
/// <param name="Node">Who made it.</param>
/// <param name="Sources">What it was made of. The digests of what was taken add up to the object's.</param>
/// <param name="Ranges">Every range in it, by stream and offset; each is made of whole ranges of the stream that follow one another.</param>
public sealed record CompactionCommit(NodeIncarnation Node, IReadOnlyList<SourceShare> Sources, IReadOnlyList<ObjectRange> Ranges)
{
    /// <summary>The ranges of one object: an entry of some hundred kilobytes, and some ten milliseconds to judge.</summary>
    public const int MostRanges = 5_000;
}
