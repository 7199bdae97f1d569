using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.State;

namespace Millrace.Streams.Upload;

/// <summary>What an upload takes from a stream: the records up to its owner's state, as far as they are durable and fit, and that state.</summary>
/// <remarks>Threading: the uploader's loop alone.</remarks>
internal sealed class StreamCutter(StreamUploads stream, UploadContext context)
{
    /// <summary>
    /// A checkpoint goes with the whole range below it or not at all. Where more comes than one upload takes it would never go; so when it is
    /// late by so many uploads, the range is taken whole, as one with an annex always is. That is more than an outage leaves behind: what comes
    /// back from one goes in moderate uploads.
    /// </summary>
    private const int OverdueCheckpoint = 16;

    private readonly StreamCore _core = stream.Core;

    /// <summary>Takes what is not in an upload yet, up to a captured state, as far as it fits. Null if there is nothing, or the stream ended.</summary>
    /// <remarks>All room is taken before anything counts as cut.</remarks>
    public StreamCut? Cut(OwnerState state, UploadAllowance allowance)
    {
        long since;
        LogCursor first = default;
        var (count, last) = (0, -1L);
        lock (_core.Lock)
        {
            if (_core.Life.HasEnded)
            {
                return null;
            }

            since = _core.Offsets.Cut;
            if (_core.Offsets.Confirmed < state.Offset)
            {
                LeaveBehind_NeedsLock();
                // State and annex are of a later point. Nobody can take an annex apart, so one that is there waits with its records.
                if (_core.Offsets.Confirmed == since || !state.Annex.IsEmpty)
                {
                    return null;
                }

                state = new OwnerState(_core.Offsets.Confirmed, default, default);
            }

            if (state.Offset > since)
            {
                first = _core.Cache.Seek(since);
                (count, var end, last) = Fit_NeedsLock(first, state, allowance);
                if (count == 0)
                {
                    return null;
                }

                state = end == state.Offset ? state : new OwnerState(end, default, default);
            }

            // From here on: a stream that is lost while the range is made must not drop the records that are being summed up.
            _core.Life.Enter();
        }

        var isCut = false;
        try
        {
            var cut = new StreamCut(
                stream,
                new UploadRange(
                    _core.Id, _core.Epoch, since, state.Offset, new CachedRecords(_core.Id, _core.Epoch, first, count), state.Checkpoint, state.Annex),
                last);
            isCut = TryNote(state);
            return isCut ? cut : null;
        }
        finally
        {
            if (!isCut)
            {
                _core.Leave();
            }
        }
    }

    /// <summary>
    /// The records from a first one on, up to a state, that an upload has room for: how many, where they end, and where the last stands in the WAL.
    /// </summary>
    private (int Count, long End, long LastPosition) Fit_NeedsLock(LogCursor first, in OwnerState state, UploadAllowance allowance)
    {
        var (count, end, last) = (0, 0L, -1L);
        var goesWhole = !state.Annex.IsEmpty
            || (!state.Checkpoint.IsEmpty && _core.Checkpoints.BytesSince >= OverdueCheckpoint * context.Options.UploadBytes);
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
    private void LeaveBehind_NeedsLock()
    {
        if (context.Wal.Fullness >= 1)
        {
            // Others, too, may have what it is full of.
            context.Planner.AskForAll();
        }
        else if (_core.Checkpoints.IsWanted || _core.Uploaded.Any)
        {
            context.Planner.Ask(stream);
        }
        else
        {
            context.Planner.OnAppended(held: 0);
        }
    }

    /// <returns>False if the stream ended meanwhile: nothing counts as cut.</returns>
    private bool TryNote(in OwnerState state)
    {
        lock (_core.Lock)
        {
            if (_core.Life.HasEnded)
            {
                return false;
            }

            if (!state.Checkpoint.IsEmpty)
            {
                _core.Checkpoints.OnTaken(state.Checkpoint.Length);
            }

            _core.Offsets.TakeCut(state.Offset);
            return true;
        }
    }
}
