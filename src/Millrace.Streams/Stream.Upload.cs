using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;

namespace Millrace.Streams;

/// <summary>Uploading: what the uploader takes from a stream and gives back; trimming and closing, which wait for it.</summary>
internal sealed partial class Stream
{
    /// <summary>The place in the WAL of the oldest record that no committed object holds; null if there is none.</summary>
    internal long? OldestNeededPosition
    {
        get
        {
            lock (_lock)
            {
                return OldestNeededPosition_NeedsLock();
            }
        }
    }

    /// <summary>Everything below is committed in objects, as far as this node knows.</summary>
    internal long UploadedOffset
    {
        get
        {
            lock (_lock)
            {
                return _uploaded;
            }
        }
    }

    /// <summary>Of a lost stream: the place in the WAL of its last record that was still cached; -1 if there was none.</summary>
    internal long LastPosition { get; private set; } = -1;

    public async ValueTask TrimAsync(long startOffset, CancellationToken token)
    {
        lock (_lock)
        {
            ThrowIfEnded_NeedsLock();
            if (startOffset > _confirm)
            {
                throw new StreamException(StreamError.OffsetOutOfRange, $"Stream {Id} ends at {_confirm} and cannot be trimmed at {startOffset}");
            }

            if (startOffset <= _start)
            {
                return;
            }
        }

        // The registry trims what it knows of, and the owner's state must not go with the records that it would be replayed from.
        await CommittedAsync(startOffset, checkpoint: false, token);
        await CommittedAsync(startOffset, checkpoint: true, token);
        await _store.Components.Registry.TrimAsync(_store.Components.Node, Id, Epoch, startOffset, token);
        long released;
        lock (_lock)
        {
            _start = Math.Max(_start, startOffset);
            _ranges.Trim(_start);
            released = _cache.Evict(_start);
        }

        _store.Budget.Release(released);
    }

    public async ValueTask CloseAsync(CancellationToken token)
    {
        Task confirmed;
        long end;
        lock (_lock)
        {
            if (_state == StreamState.Closed)
            {
                return;
            }

            ThrowIfEnded_NeedsLock();
            end = _next;
            confirmed = _confirm >= end ? Task.CompletedTask : _confirmWaiters.Add(end);
            _state = StreamState.Closing;
        }

        await confirmed.OrCancelled(token);
        try
        {
            await CommittedAsync(end, checkpoint: false, token);
            await _store.CloseRangeAsync(Id, Epoch, end, token);
        }
        catch (StreamException refused)
        {
            // It will not be closed by this node any more; a later epoch may still be opened here.
            Lose(refused);
            throw;
        }

        lock (_lock)
        {
            if (_state == StreamState.Closed)
            {
                // Somebody else who closed it at the same time was faster.
                return;
            }

            ThrowIfEnded_NeedsLock();
            _state = StreamState.Closed;
            _checkpointWaiters.Fail(new StreamException(StreamError.Closed, $"Stream {Id} was closed while it was trimmed"));
        }

        _store.OnClosed(this);
        ReleaseIfDone();
    }

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
            if (_state is StreamState.Lost or StreamState.Closed || (_next == _cut && !_checkpointWanted))
            {
                return null;
            }

            since = _cut;
            // One goes along when the records since the last are as many bytes as it takes: what idempotent producers leave behind may be
            // large, and would otherwise go with every few records. Whoever opens the stream replays about as much as it reads anyway.
            withCheckpoint = _checkpointWanted || _state == StreamState.Closing || _sinceCheckpoint >= _checkpointBytes;
        }

        var state = _owner.Capture(since, withCheckpoint);
        Task confirmed;
        lock (_lock)
        {
            Invariant.Check(state.Offset >= since && state.Offset <= _next);
            if (_state is StreamState.Lost or StreamState.Closed)
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
            if (_state is StreamState.Lost or StreamState.Closed)
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
                for (var at = first; at.IsAtRecord && at.Record.EndOffset <= state.Offset; at.MoveNext())
                {
                    // A range with an annex, which nobody can take apart, goes whole if it goes at all.
                    if (!allowance.TryTake(at.Record.Payload.Length) && (count == 0 || state.Annex.IsEmpty))
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
        }

        var cut = new StreamCut(
            this,
            new UploadRange(Id, Epoch, since, state.Offset, new CachedRecords(Id, Epoch, first, count), state.Checkpoint, state.Annex),
            last);
        lock (_lock)
        {
            if (_state is StreamState.Lost or StreamState.Closed)
            {
                return null;
            }

            if (!state.Checkpoint.IsEmpty)
            {
                (_checkpointWanted, _checkpointBytes, _sinceCheckpoint) = (false, state.Checkpoint.Length, 0);
            }

            _cut = state.Offset;
            _cutsUnderWay++;
            return cut;
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

    /// <summary>The registry has committed everything below an offset.</summary>
    internal void OnCommitted(ObjectRange range, long startOffset)
    {
        long bytes;
        lock (_lock)
        {
            if (_state is StreamState.Lost or StreamState.Closed || (range.EndOffset <= _uploaded && range.EndOffset > startOffset))
            {
                // The stream ended, or has heard of it in another way.
                return;
            }

            _ranges.Add(range with { StartOffset = startOffset });
            if (range.HasCheckpoint)
            {
                SatisfyCheckpoints_NeedsLock(range.EndOffset);
            }

            bytes = AdvanceUploaded_NeedsLock(range.EndOffset);
        }

        _store.Tail.Add(this, range.EndOffset, bytes);
    }

    /// <summary>The registry has committed everything below an offset, in objects that this node did not expect: here are all of them.</summary>
    internal void OnCommitted(IReadOnlyList<ObjectRange> ranges, long endOffset)
    {
        long bytes;
        bool isCheckpointWanted;
        lock (_lock)
        {
            if (_state is StreamState.Lost or StreamState.Closed)
            {
                return;
            }

            _ranges.Replace([.. ranges.Where(range => range.EndOffset <= endOffset)]);
            // Whether these brought the checkpoint that was on its way is not worth knowing: another one is cheap.
            isCheckpointWanted = _checkpointWanted |= _checkpointWaiters.Any;
            bytes = AdvanceUploaded_NeedsLock(endOffset);
        }

        _store.Tail.Add(this, endOffset, bytes);
        if (isCheckpointWanted)
        {
            _store.RequestUpload();
        }
    }

    internal void EvictUploaded(long endOffset)
    {
        long released;
        lock (_lock)
        {
            released = _cache.Evict(Math.Min(endOffset, _uploaded));
        }

        _store.Budget.Release(released);
    }

    /// <summary>
    /// Waits until everything below an offset is committed in objects, or until a checkpoint of the owner's state at or above it is; has an
    /// upload begin if it is not.
    /// </summary>
    private async Task CommittedAsync(long offset, bool checkpoint, CancellationToken token)
    {
        Task committed;
        lock (_lock)
        {
            if ((checkpoint ? _checkpoint : _uploaded) >= offset)
            {
                return;
            }

            ThrowIfEnded_NeedsLock();
            committed = (checkpoint ? _checkpointWaiters : _uploadWaiters).Add(offset);
            _checkpointWanted |= checkpoint;
        }

        _store.RequestUpload();
        await committed.OrCancelled(token);
    }

    private void SatisfyCheckpoints_NeedsLock(long offset)
    {
        _checkpoint = Math.Max(_checkpoint, offset);
        _checkpointWaiters.Advance(offset);
        _checkpointWanted &= _checkpointWaiters.Any;
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

    /// <summary>Returns the bytes, payload and what records cost beside, that this made evictable.</summary>
    private long AdvanceUploaded_NeedsLock(long endOffset)
    {
        var bytes = 0L;
        for (var at = _cache.Seek(_uploaded); at.IsAtRecord && at.Record.EndOffset <= endOffset; at.MoveNext())
        {
            bytes += at.Record.Payload.Length + RecordCost.Cached;
        }

        _uploaded = endOffset;
        _uploadWaiters.Advance(endOffset);
        return bytes;
    }

    private long? OldestNeededPosition_NeedsLock()
    {
        if (_state == StreamState.Lost)
        {
            return _pin;
        }

        if (_uploaded == _next)
        {
            return null;
        }

        return _cache.TryFind(_uploaded, out var oldest) ? oldest.Record.WalPosition : null;
    }
}
