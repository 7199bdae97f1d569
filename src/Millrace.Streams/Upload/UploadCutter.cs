using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Streams.Upload;

/// <summary>Cuts an upload: what it takes of each of its streams.</summary>
/// <remarks>Threading: the uploader's loop alone.</remarks>
internal sealed class UploadCutter(UploadContext context, ILogger logger)
{
    // What one upload takes at most: more comes when producers have waited, or the store was away, and goes in several.
    private const int UploadsWorth = 2;
    private const int MostRecords = 256 << 10;

    /// <summary>All streams wait for their newest records together, then each gives what fits.</summary>
    /// <param name="streams">In the order in which they get room.</param>
    /// <param name="cuts">Gets the cuts, in the order of streams. Whatever is in it when this throws is to be released.</param>
    /// <param name="token">Ends the wait.</param>
    public async Task CutAsync(List<StreamUploads> streams, List<StreamCut> cuts, CancellationToken token)
    {
        var states = await Task.WhenAll(streams.Select(stream => CaptureAsync(stream, token)));
        var allowance = new UploadAllowance(UploadsWorth * context.Options.UploadBytes, MostRecords);
        cuts.Capacity = streams.Count;
        for (var i = 0; i < streams.Count; i++)
        {
            if (states[i] is { } state && TryCut(streams[i], state, allowance) is { } cut)
            {
                cuts.Add(cut);
            }

            if (allowance.IsExhausted)
            {
                // What is left goes in the next.
                context.Planner.Ask(streams[i]);
            }
        }

        // Objects are laid out in this order.
        cuts.Sort(static (left, right) => left.Range.Stream.CompareTo(right.Range.Stream));
    }

    private async Task<OwnerState?> CaptureAsync(StreamUploads stream, CancellationToken token)
    {
        try
        {
            return await stream.Capture.TakeAsync(token);
        }
        catch (Exception failure) when (failure is not (InvariantViolationException or OperationCanceledException))
        {
            // One owner's trouble is not the others'.
            LeaveOut(stream, failure);
            return null;
        }
    }

    private StreamCut? TryCut(StreamUploads stream, OwnerState state, UploadAllowance allowance)
    {
        try
        {
            return stream.Cutter.Cut(state, allowance);
        }
        catch (OutOfMemoryException failure)
        {
            // Nothing was cut.
            LeaveOut(stream, failure);
            return null;
        }
    }

    private void LeaveOut(StreamUploads stream, Exception failure)
    {
        StreamsMessages.CaptureFailed(logger, failure, stream.Core.Id);
        context.Planner.OnAppended(held: 0);
    }
}
