using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Streams.Upload;

/// <summary>Has streams asked for where their records lie, once what they commit tells that ranges of them were merged.</summary>
/// <remarks>
/// Nobody waits for it, and where it fails the next upload tells it again: readers ask by themselves when an object is gone. Threading: any thread.
/// </remarks>
/// <param name="runtime">Where it runs.</param>
/// <param name="logger">Hears what fails.</param>
internal sealed class RangeRefresh(NodeRuntime runtime, ILogger logger)
{
    // They go in a few questions together, and their answers are in memory together.
    private const int StreamsAtOnce = 300;

    /// <param name="cuts">Of an upload.</param>
    /// <param name="outcomes">What became of it, and is known to its streams.</param>
    /// <param name="token">The store stops.</param>
    public void Begin(IReadOnlyList<StreamCut> cuts, IReadOnlyList<UploadOutcome> outcomes, CancellationToken token)
    {
        try
        {
            var byStream = cuts.ToDictionary(cut => cut.Range.Stream, cut => cut.Stream);
            (StreamUploads Stream, int Count)[] outdated =
            [
                .. outcomes.Where(outcome => outcome.RangeCount is { } count && byStream[outcome.Range.Stream].IsOutdated(count))
                    .GroupBy(outcome => outcome.Range.Stream)
                    .Select(ofStream => (byStream[ofStream.Key], ofStream.Last().RangeCount!.Value)),
            ];
            if (outdated.Length > 0)
            {
                // Not awaited: nobody waits for it, least of all the next upload.
                _ = runtime.Spawn("stream-ranges", _ => RefreshAsync(outdated, token));
            }
        }
        catch (OutOfMemoryException)
        {
            // The next upload tells it again.
        }
    }

    private async Task RefreshAsync((StreamUploads Stream, int Count)[] outdated, CancellationToken token)
    {
        try
        {
            foreach (var some in outdated.Chunk(StreamsAtOnce))
            {
                // Together, so that they go in one question; none of them fails.
                Task[] refreshed = [.. some.Select(one => RefreshAsync(one.Stream, one.Count, token))];
                foreach (var one in refreshed)
                {
                    await one;
                }
            }
        }
        catch (OutOfMemoryException)
        {
            // As above.
        }
    }

    private async Task RefreshAsync(StreamUploads stream, int expected, CancellationToken token)
    {
        try
        {
            await stream.RefreshAsync(expected, token);
        }
        catch (Exception failure) when (failure is StreamException or OutOfMemoryException)
        {
            StreamsMessages.RangesNotRefreshed(logger, stream.Core.Id, failure.Message);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The store stops.
        }
    }
}
