using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>The committed ranges of a stream, page by page: one answer holds no more than so many.</summary>
/// <remarks>
/// A question counts for as many ranges as it asks for, and answers are bounded: so none asks for many more than there are, and thousands of streams ask
/// together.
/// </remarks>
internal static class RangePages
{
    private const int MostAtOnce = 1_000;

    // What may have come since whoever asks has heard of the others.
    private const int SomeMore = 10;

    /// <summary>All that a stream has when it opens; fewer if the registry does not know them all.</summary>
    public static async ValueTask<IReadOnlyList<ObjectRange>> LoadAsync(
        IStreamRegistry registry, StreamId id, StreamOpening opening, CancellationToken token)
    {
        var ranges = opening.Ranges;
        while ((ranges.Count > 0 ? ranges[^1].EndOffset : opening.StartOffset) is var next && next < opening.EndOffset)
        {
            var page = await registry.GetRangesAsync(id, next, Math.Clamp(opening.RangeCount - ranges.Count, 1, MostAtOnce), asOfNow: false, token);
            if (page.Count == 0)
            {
                break;
            }

            ranges = ranges.Count == 0 || IsTrimmedBefore(page, next) ? page : [.. ranges, .. From(page, next)];
        }

        return ranges;
    }

    /// <summary>All that end after an offset.</summary>
    /// <param name="registry">Who is asked.</param>
    /// <param name="id">The stream.</param>
    /// <param name="offset">Ranges that end after it are meant.</param>
    /// <param name="expected">About how many there are.</param>
    /// <param name="asOfNow">As the registry's.</param>
    /// <param name="token">Ends the wait.</param>
    public static async ValueTask<IReadOnlyList<ObjectRange>> LoadAsync(
        IStreamRegistry registry, StreamId id, long offset, int expected, bool asOfNow, CancellationToken token)
    {
        var ranges = new List<ObjectRange>();
        while (true)
        {
            var most = Math.Clamp(expected - ranges.Count + SomeMore, SomeMore, MostAtOnce);
            var next = ranges.Count > 0 ? ranges[^1].EndOffset : long.MinValue;
            var page = await registry.GetRangesAsync(id, Math.Max(next, offset), most, asOfNow, token);
            if (IsTrimmedBefore(page, next))
            {
                ranges.Clear();
            }

            ranges.AddRange(From(page, next));
            if (page.Count < most)
            {
                return ranges;
            }
        }
    }

    // Since the page before, all of that was trimmed, and some that would follow.
    private static bool IsTrimmedBefore(IReadOnlyList<ObjectRange> page, long next) => page.Count > 0 && page[0].StartOffset > next;

    // Since the page before, what it ended with may have been merged with what follows.
    private static IEnumerable<ObjectRange> From(IReadOnlyList<ObjectRange> page, long next) =>
        page.Select(range => range.StartOffset < next ? range with { StartOffset = next } : range);
}
