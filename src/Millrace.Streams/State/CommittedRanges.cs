using Millrace.Runtime;
using Millrace.Streams.Registry;

namespace Millrace.Streams.State;

/// <summary>The committed ranges of one open stream, in offset order without a gap: where its offsets lie in objects.</summary>
/// <remarks>Threading: one caller at a time (the stream's lock).</remarks>
internal sealed class CommittedRanges
{
    private readonly List<ObjectRange> _ranges = [];

    public int Count => _ranges.Count;

    public ObjectRange this[int index] => _ranges[index];

    /// <summary>Adds the range that follows. Ranges without records only carry a checkpoint and are of no use to readers.</summary>
    public void Add(ObjectRange range)
    {
        if (range.EndOffset == range.StartOffset)
        {
            return;
        }

        Invariant.Check(_ranges.Count == 0 || _ranges[^1].EndOffset == range.StartOffset);
        _ranges.Add(range);
    }

    /// <summary>Takes in all of them anew.</summary>
    public void Replace(IEnumerable<ObjectRange> ranges)
    {
        _ranges.Clear();
        foreach (var range in ranges)
        {
            Add(range);
        }
    }

    /// <summary>
    /// Some of them have gone elsewhere: takes in where the registry says that records lie, as far as this node has heard of their commit. What it heard of
    /// since the answer is kept.
    /// </summary>
    /// <param name="loaded">The registry's answer.</param>
    /// <param name="start">The stream's start offset.</param>
    /// <param name="committedEnd">Commits above this come by themselves.</param>
    public void Refresh(IReadOnlyList<ObjectRange> loaded, long start, long committedEnd)
    {
        List<ObjectRange> ranges = [.. Within(loaded, start, committedEnd)];
        var end = ranges.Count > 0 ? ranges[^1].EndOffset : start;
        // One of them may have been merged across that end, as an answer that overtook this one told.
        ranges.AddRange(_ranges.Where(range => range.EndOffset > end).Select(range => range with { StartOffset = Math.Max(range.StartOffset, end) }));
        Replace(ranges);
    }

    /// <summary>
    /// What there is of ranges between two offsets. The last may be cut: it was merged with one that this node has not heard of yet.
    /// </summary>
    public static IEnumerable<ObjectRange> Within(IEnumerable<ObjectRange> ranges, long start, long end) =>
        ranges.Where(range => range.EndOffset > start && range.StartOffset < end)
            .Select(range => range.EndOffset > end ? range with { EndOffset = end } : range);

    /// <summary>The first range that ends after an offset and has a timestamp of at least this; null if none does.</summary>
    public ObjectRange? FindByTimestamp(long offset, long timestamp)
    {
        foreach (var range in _ranges)
        {
            if (range.EndOffset > offset && range.MaxTimestamp >= timestamp)
            {
                return range;
            }
        }

        return null;
    }

    /// <summary>The range that contains an offset; null if none does.</summary>
    public ObjectRange? Find(long offset)
    {
        var (low, high) = (0, _ranges.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_ranges[middle].EndOffset <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low < _ranges.Count && _ranges[low].StartOffset <= offset ? _ranges[low] : null;
    }

    /// <summary>Forgets the ranges that end at or below an offset.</summary>
    public void Trim(long startOffset)
    {
        var gone = 0;
        while (gone < _ranges.Count && _ranges[gone].EndOffset <= startOffset)
        {
            gone++;
        }

        _ranges.RemoveRange(0, gone);
    }
}
