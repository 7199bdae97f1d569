using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>The committed ranges of a stream, page by page: one answer holds no more than so many.</summary>
internal static class RangePages
{
    private const int RangesAtOnce = 1000;

    /// <summary>All that a stream has when it opens; fewer if the registry does not know them all.</summary>
    public static async ValueTask<IReadOnlyList<ObjectRange>> LoadAsync(
        IStreamRegistry registry, StreamId id, StreamOpening opening, CancellationToken token)
    {
        var ranges = opening.Ranges;
        while ((ranges.Count > 0 ? ranges[^1].EndOffset : opening.StartOffset) is var next && next < opening.EndOffset)
        {
            var page = await registry.GetRangesAsync(id, next, RangesAtOnce, token);
            if (page.Count == 0)
            {
                break;
            }

            ranges = [.. ranges, .. page];
        }

        return ranges;
    }

    /// <summary>All that end after an offset.</summary>
    public static async ValueTask<IReadOnlyList<ObjectRange>> LoadAsync(IStreamRegistry registry, StreamId id, long offset, CancellationToken token)
    {
        var ranges = new List<ObjectRange>();
        while (true)
        {
            var page = await registry.GetRangesAsync(id, ranges.Count > 0 ? ranges[^1].EndOffset : offset, RangesAtOnce, token);
            ranges.AddRange(page);
            if (page.Count < RangesAtOnce)
            {
                return ranges;
            }
        }
    }
}
