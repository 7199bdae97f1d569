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

    public void Replace(IReadOnlyList<ObjectRange> ranges)
    {
        _ranges.Clear();
        foreach (var range in ranges)
        {
            Add(range);
        }
    }

    /// <summary>The index of the range that contains an offset; -1 if none does.</summary>
    public int Find(long offset)
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

        return low < _ranges.Count && _ranges[low].StartOffset <= offset ? low : -1;
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
