using System.Collections;
using System.Collections.Immutable;
using Millrace.Runtime;

namespace Millrace.Controller.State;

/// <summary>
/// All committed ranges of a stream that hold records: in offset order, without a gap or an overlap. Immutable; a change shares every full piece with
/// what was before, so that a state costs nothing to keep for undoing a refusal, or for writing a snapshot of it beside the loop.
/// </summary>
internal sealed class StreamRanges : IReadOnlyCollection<RangeState>
{
    private StreamRanges(ImmutableArray<PackedRanges> pieces) => Pieces = pieces;

    public static StreamRanges Empty { get; } = new([]);

    /// <summary>In offset order, none empty.</summary>
    public ImmutableArray<PackedRanges> Pieces { get; }

    public bool IsEmpty => Pieces.IsEmpty;

    public int Count => Pieces.Sum(piece => piece.Count);

    /// <summary>Where the first begins. Not of an empty one.</summary>
    public long StartOffset => Pieces[0].StartOffset;

    /// <summary>Where the last ends. Not of an empty one.</summary>
    public long EndOffset => Pieces[^1].EndOffset;

    /// <summary>With the range that follows.</summary>
    public StreamRanges Add(RangeState range) =>
        IsEmpty || Pieces[^1].Count == PackedRanges.Most
            ? Add(PackedRanges.Of(range))
            : new StreamRanges(Pieces.SetItem(Pieces.Length - 1, Pieces[^1].With(range)));

    /// <summary>With the ranges that follow.</summary>
    public StreamRanges Add(PackedRanges piece)
    {
        Invariant.Check(IsEmpty || piece.StartOffset == EndOffset);
        return new StreamRanges(Pieces.Add(piece));
    }

    /// <summary>Without those that end at an offset or before it.</summary>
    public StreamRanges From(long offset)
    {
        if (IsEmpty || Pieces[0].Unpack().First().EndOffset > offset)
        {
            return this;
        }

        var whole = FindPiece(offset);
        if (whole == Pieces.Length)
        {
            return Empty;
        }

        var rest = PackedRanges.Of([.. Pieces[whole].Unpack().Where(range => range.EndOffset > offset)]);
        return new StreamRanges(Pieces.RemoveRange(0, whole).SetItem(0, rest));
    }

    /// <summary>With one in the place of those that it begins and ends with.</summary>
    public StreamRanges Replace(RangeState range)
    {
        // What is left of a piece would stay short for good: it is packed anew with its neighbours.
        var first = Math.Max(FindPiece(range.StartOffset) - 1, 0);
        var next = Math.Min(FindPiece(range.EndOffset - 1) + 2, Pieces.Length);
        var former = Pieces[first..next].SelectMany(piece => piece.Unpack()).ToList();
        var at = former.FindIndex(other => other.StartOffset == range.StartOffset);
        var end = former.FindIndex(other => other.EndOffset == range.EndOffset);
        Invariant.Check(at >= 0 && end >= at);
        former.RemoveRange(at, end + 1 - at);
        former.Insert(at, range);
        return new StreamRanges([.. Pieces[..first], .. former.Chunk(PackedRanges.Most).Select(PackedRanges.Of), .. Pieces[next..]]);
    }

    /// <summary>Those that end after an offset, in order.</summary>
    public IEnumerable<RangeState> After(long offset) =>
        Pieces.Skip(FindPiece(offset)).SelectMany(piece => piece.Unpack()).SkipWhile(range => range.EndOffset <= offset);

    public IEnumerator<RangeState> GetEnumerator() => Pieces.SelectMany(piece => piece.Unpack()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The first piece that ends after an offset; the number of pieces if none does.</summary>
    private int FindPiece(long offset)
    {
        var (low, high) = (0, Pieces.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = Pieces[middle].EndOffset > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
