using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Upload;

namespace Millrace.Streams;

/// <summary>Cutting: what the uploader takes from a stream.</summary>
internal sealed partial class Stream
{
    /// <summary>
    /// A checkpoint goes with the whole range below it or not at all. Where more comes than one upload takes it would never go; so when it is
    /// late by so many uploads, the range is taken whole, as one with an annex always is. That is more than an outage leaves behind: what comes
    /// back from one goes in moderate uploads.
    /// </summary>
    private const int OverdueCheckpoint = 16;

    /// <summary>
    /// The owner's newest state, up to which a cut may go, once that is durable or has kept others waiting for long enough. Null if there is
    /// nothing to upload, or the stream ended.
    /// </summary>
    /// <remarks>
    /// Called by the uploader's loop alone. In a full WAL the newest records wait for the space that this very upload makes: then what is
    /// durable goes by itself, and whoever opens the stream next replays it.
    /// </remarks>
    internal async Task<OwnerState?> CaptureAsync(CancellationToken token)
    {
        long since;
        bool withCheckpoint;
        lock (_lock)
        {
            if (_phase is StreamPhase.Lost or StreamPhase.Closed || (_next == _cut && !_checkpointWanted))
            {
                return null;
            }

            since = _cut;
            // One goes along when the records since the last are as many bytes as it takes: what idempotent producers leave behind may be
            // large, and would otherwise go with every few records. Whoever opens the stream replays about as much as it reads anyway.
            withCheckpoint = _checkpointWanted || _phase == StreamPhase.Closing || _sinceCheckpoint >= _checkpointBytes;
        }

        var state = _owner.Capture(since, withCheckpoint);
        Task confirmed;
        lock (_lock)
        {
            Invariant.Check(state.Offset >= since && state.Offset <= _next);
            if (_phase is StreamPhase.Lost or StreamPhase.Closed)
            {
                return null;
            }

            if (withCheckpoint && state.Checkpoint.IsEmpty)
            {
                // An owner that keeps no state has none to lose.
                SatisfyCheckpoints_NeedsLock(state.Offset);
            }

            // Without records it goes for its checkpoint alone.
            if (state.Offset == since && state.Checkpoint.IsEmpty)
            {
                return null;
            }

            confirmed = _confirm >= state.Offset ? Task.CompletedTask : _confirmWaiters.Add(state.Offset);
        }

        try
        {
            await ConfirmedOrFullAsync(confirmed, token);
            return state;
        }
        catch (StreamException)
        {
            // The stream was lost, as its owner was told; the records stay in the WAL.
            return null;
        }
    }

    /// <summary>Takes what is not in an upload yet, up to a captured state, as far as it fits. Null if there is nothing, or the stream ended.</summary>
    /// <remarks>Called by the uploader's loop alone. All room is taken before anything counts as cut.</remarks>
    internal StreamCut? Cut(OwnerState state, UploadAllowance allowance)
    {
        long since;
        LogCursor first = default;
        var (count, last) = (0, -1L);
        lock (_lock)
        {
            if (_phase is StreamPhase.Lost or StreamPhase.Closed)
            {
                return null;
            }

            since = _cut;
            if (_confirm < state.Offset)
            {
                _store.OnLeftBehind(isWaitedFor: _checkpointWanted || _uploadWaiters.Any);

                // State and annex are of a later point. Nobody can take an annex apart, so one that is there waits with its records.
                if (_confirm == since || !state.Annex.IsEmpty)
                {
                    return null;
                }

                state = new OwnerState(_confirm, default, default);
            }

            if (state.Offset > since)
            {
                first = _cache.Seek(since);
                var end = since;
                var goesWhole = !state.Annex.IsEmpty || (!state.Checkpoint.IsEmpty && _sinceCheckpoint >= OverdueCheckpoint * _store.Options.UploadBytes);
                for (var at = first; at.IsAtRecord && at.Record.EndOffset <= state.Offset; at.MoveNext())
                {
                    if (!allowance.TryTake(at.Record.Payload.Length) && (count == 0 || !goesWhole))
                    {
                        break;
                    }

                    count++;
                    (end, last) = (at.Record.EndOffset, at.Record.WalPosition);
                }

                if (count == 0)
                {
                    return null;
                }

                state = end == state.Offset ? state : new OwnerState(end, default, default);
            }

            // From here on: a stream that is lost while the range is made must not drop the records that are being summed up.
            _cutsUnderWay++;
        }

        var isCut = false;
        try
        {
            var cut = new StreamCut(
                this,
                new UploadRange(Id, Epoch, since, state.Offset, new CachedRecords(Id, Epoch, first, count), state.Checkpoint, state.Annex),
                last);
            isCut = TryNoteCut(state);
            return isCut ? cut : null;
        }
        finally
        {
            if (!isCut)
            {
                OnCutReleased();
            }
        }
    }

    /// <summary>An upload is done with the records of its cut.</summary>
    internal void OnCutReleased()
    {
        lock (_lock)
        {
            _cutsUnderWay--;
        }

        ReleaseIfDone();
    }

    /// <returns>False if the stream ended meanwhile: nothing counts as cut.</returns>
    private bool TryNoteCut(in OwnerState state)
    {
        lock (_lock)
        {
            if (_phase is StreamPhase.Lost or StreamPhase.Closed)
            {
                return false;
            }

            if (!state.Checkpoint.IsEmpty)
            {
                (_checkpointWanted, _checkpointBytes, _sinceCheckpoint) = (false, state.Checkpoint.Length, 0);
            }

            _cut = state.Offset;
            return true;
        }
    }

    private async Task ConfirmedOrFullAsync(Task confirmed, CancellationToken token)
    {
        var started = _store.Time.GetTimestamp();
        while (!confirmed.IsCompleted && _store.Components.Wal.Fullness < 1 && _store.Time.GetElapsedTime(started) < Uploader.ConfirmPatience)
        {
            using var settled = CancellationTokenSource.CreateLinkedTokenSource(token);
            await Waiting.Either(confirmed, Task.Delay(Uploader.FullWalPause, _store.Time, settled.Token));
            settled.Cancel();
            token.ThrowIfCancellationRequested();
        }

        if (confirmed.IsCompleted)
        {
            await confirmed;
        }
    }
}
