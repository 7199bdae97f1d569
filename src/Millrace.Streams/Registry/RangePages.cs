using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>The committed ranges of a stream, page by page: one answer holds no more than so many.</summary>
internal static class RangePages
{
    private const int RangesAtOnce = 1000;

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
