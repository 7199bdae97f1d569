using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.State;

namespace Millrace.Streams.Upload;

/// <summary>
/// Cuts an upload: of each of its streams it takes its owner's state as <see cref="UploadCapture"/> has it, and the records up to it, as far as they fit.
/// </summary>
/// <remarks>
/// What is not durable by then is left for another upload, unless its stream closes: that becomes durable while the object is written. Threading: the
/// uploader's loop alone.
/// </remarks>
internal sealed class UploadCutter(UploadContext context, ILogger logger)
{
    // What one upload takes at most: more comes when producers have waited, or the store was away, and goes in several.
    private const int UploadsWorth = 2;
    private const int MostRecords = 256 << 10;
    private const int MostCloses = 4_096;

    /// <summary>
    /// A checkpoint goes with the whole range below it or not at all. Where more comes than one upload takes it would never go; so when it is
    /// late by so many uploads, the range is taken whole, as one with an annex always is. That is more than an outage leaves behind: what comes
    /// back from one goes in moderate uploads.
    /// </summary>
    private const int OverdueCheckpoint = 16;

    private readonly UploadCapture _capture = new(context);

    /// <summary>All streams wait for their newest records together, then each gives what fits.</summary>
    /// <param name="streams">In the order in which they get room.</param>
    /// <param name="cuts">Gets the cuts, in the order of streams. Whatever is in it when this throws is to be released.</param>
    /// <param name="token">Ends the wait.</param>
    public async Task CutAsync(List<StreamUploads> streams, List<StreamCut> cuts, CancellationToken token)
    {
        var states = await Task.WhenAll(streams.Select(stream => TryCaptureAsync(stream, token)));
        var allowance = new UploadAllowance(UploadsWorth * context.Options.UploadBytes, MostRecords, MostCloses);
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

    /// <summary>Takes what is not in an upload yet, up to a captured state, as far as it fits. Null if there is nothing, or the stream ended.</summary>
    /// <remarks>All room is taken before anything counts as cut.</remarks>
    public StreamCut? Cut(StreamUploads stream, OwnerState state, UploadAllowance allowance)
    {
        var core = stream.Core;
        long since;
        LogCursor first = default;
        var (count, last) = (0, -1L);
        bool closes;
        Task durable;
        lock (core.Lock)
        {
            if (core.Life.HasEnded)
            {
                return null;
            }

            since = core.Offsets.Cut;
            if (core.Offsets.Confirmed < state.Offset && !core.GoesBeside_NeedsLock(state.Offset))
            {
                LeaveBehind_NeedsLock(stream);
                // State and annex are of a later point. Nobody can take an annex apart, so one that is there waits with its records.
                if (core.Offsets.Confirmed <= since || !state.Annex.IsEmpty)
                {
                    return null;
                }

                state = new OwnerState(core.Offsets.Confirmed, default, default);
            }

            if (state.Offset > since)
            {
                first = core.Cache.Seek(since);
                (count, var end, last) = Fit_NeedsLock(core, first, state, allowance);
                if (count == 0)
                {
                    return null;
                }

                state = end == state.Offset ? state : new OwnerState(end, default, default);
            }

            durable = core.WhenConfirmed_NeedsLock(state.Offset);
            closes = ClosesWith_NeedsLock(core, state) && allowance.TryTakeClose();

            // From here on: a stream that is lost while the range is made must not drop the records that are being summed up.
            core.Life.Enter();
        }

        var isCut = false;
        try
        {
            var cut = new StreamCut(
                stream,
                new UploadRange(
                    core.Id, core.Epoch, since, state.Offset, new CachedRecords(core.Id, core.Epoch, first, count), state.Checkpoint, state.Annex)
                {
                    Closing = closes ? () => core.AskToClose(state.Offset) : null,
                    Durable = durable,
                },
                last);
            isCut = TryNote(core, state);
            return isCut ? cut : null;
        }
        finally
        {
            if (!isCut)
            {
                core.Leave();
            }
        }
    }

    private async Task<OwnerState?> TryCaptureAsync(StreamUploads stream, CancellationToken token)
    {
        try
        {
            return await _capture.CaptureAsync(stream, token);
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
            return Cut(stream, state, allowance);
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

    /// <summary>
    /// The records from a first one on, up to a state, that an upload has room for: how many, where they end, and where the last stands in the WAL.
    /// </summary>
    private (int Count, long End, long LastPosition) Fit_NeedsLock(StreamCore core, LogCursor first, in OwnerState state, UploadAllowance allowance)
    {
        var (count, end, last) = (0, 0L, -1L);
        var goesWhole = !state.Annex.IsEmpty
            || (!state.Checkpoint.IsEmpty && core.Checkpoints.BytesSince >= OverdueCheckpoint * context.Options.UploadBytes);
        for (var at = first; at.IsAtRecord && at.Record.EndOffset <= state.Offset; at.MoveNext())
        {
            if (!allowance.TryTake(at.Record.Payload.Length) && (count == 0 || !goesWhole))
            {
                break;
            }

            count++;
            (end, last) = (at.Record.EndOffset, at.Record.WalPosition);
        }

        return (count, end, last);
    }

    /// <summary>
    /// An upload goes without records that are not durable yet: another one takes them, at once if somebody waits or the WAL is full of them.
    /// </summary>
    private void LeaveBehind_NeedsLock(StreamUploads stream)
    {
        if (stream.Core.Wal.Fullness >= 1)
        {
            // Others, too, may have what it is full of.
            context.Planner.AskForAll();
        }
        else if (stream.Core.Checkpoints.IsWanted || stream.Core.Uploaded.Any)
        {
            context.Planner.Ask(stream);
        }
        else
        {
            context.Planner.OnAppended(held: 0);
        }
    }

    /// <summary>A cut's closing may go along with it: of a stream that takes no more, and leaves nothing behind, no state either.</summary>
    private static bool ClosesWith_NeedsLock(StreamCore core, in OwnerState state) =>
        core.Life.Phase == StreamPhase.Closing && state.Offset == core.Offsets.Next
        && (!state.Checkpoint.IsEmpty || core.Checkpoints.Covers(state.Offset));

    /// <returns>False if the stream ended meanwhile: nothing counts as cut.</returns>
    private static bool TryNote(StreamCore core, in OwnerState state)
    {
        lock (core.Lock)
        {
            if (core.Life.HasEnded)
            {
                return false;
            }

            if (!state.Checkpoint.IsEmpty)
            {
                core.Checkpoints.OnTaken(state.Checkpoint.Length);
            }

            core.Offsets.TakeCut(state.Offset);
            return true;
        }
    }
}
