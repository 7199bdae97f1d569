using Millrace.Streams.Registry;

namespace Millrace.Streams.Compaction;

/// <summary>What is to go into one object of a compaction.</summary>
/// <param name="Kind">Of one stream, or of several.</param>
/// <param name="Ranges">By stream and offset, at least one.</param>
internal sealed record CompactedObject(ObjectKind Kind, IReadOnlyList<MergedRange> Ranges)
{
    /// <summary>
    /// Deals ranges out: what has grown large of one stream gets an object of its own, of all others as many go together as one object takes, and one
    /// commit.
    /// </summary>
    /// <param name="streams">The ranges of each stream, by stream. Asked for no further than the next object needs.</param>
    /// <param name="streamObjectBytes">What is large.</param>
    /// <param name="mostBytes">What one object takes; a range that is larger goes by itself.</param>
    public static async IAsyncEnumerable<CompactedObject> DealAsync(
        IAsyncEnumerable<IReadOnlyList<MergedRange>> streams, long streamObjectBytes, long mostBytes)
    {
        var shared = new List<MergedRange>();
        var bytes = 0L;
        await foreach (var ranges in streams)
        {
            var size = ranges.Sum(range => range.Bytes);
            if (size >= streamObjectBytes || ranges.Count > CompactionCommit.MostRanges)
            {
                foreach (var own in Fill(ranges, mostBytes))
                {
                    yield return new CompactedObject(ObjectKind.Stream, own);
                }

                continue;
            }

            // All of a stream together, lest it come to lie in more objects than before.
            if (shared.Count > 0 && (bytes + size > mostBytes || shared.Count + ranges.Count > CompactionCommit.MostRanges))
            {
                yield return new CompactedObject(ObjectKind.StreamSet, shared);
                (shared, bytes) = ([], 0);
            }

            shared.AddRange(ranges);
            bytes += size;
        }

        if (shared.Count > 0)
        {
            yield return new CompactedObject(ObjectKind.StreamSet, shared);
        }
    }

    private static IEnumerable<IReadOnlyList<MergedRange>> Fill(IReadOnlyList<MergedRange> ranges, long mostBytes)
    {
        var some = new List<MergedRange>();
        var bytes = 0L;
        foreach (var range in ranges)
        {
            if (some.Count > 0 && (bytes + range.Bytes > mostBytes || some.Count == CompactionCommit.MostRanges))
            {
                yield return some;
                (some, bytes) = ([], 0);
            }

            some.Add(range);
            bytes += range.Bytes;
        }

        if (some.Count > 0)
        {
            yield return some;
        }
    }
}
