using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;

namespace Millrace.Streams;

/// <summary>Uploading: what the uploader has made of a stream's cuts; trimming and closing, which wait for it.</summary>
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
            if (_phase == StreamPhase.Closed)
            {
                return;
            }

            ThrowIfEnded_NeedsLock();
            end = _next;
            confirmed = _confirm >= end ? Task.CompletedTask : _confirmWaiters.Add(end);
            _phase = StreamPhase.Closing;
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
            if (_phase == StreamPhase.Closed)
            {
                // Somebody else who closed it at the same time was faster.
                return;
            }

            ThrowIfEnded_NeedsLock();
            _phase = StreamPhase.Closed;
            _checkpointWaiters.Fail(new StreamException(StreamError.Closed, $"Stream {Id} was closed while it was trimmed"));
        }

        _store.OnClosed(this);
        ReleaseIfDone();
    }

    /// <summary>The registry has committed everything below an offset.</summary>
    internal void OnCommitted(ObjectRange range, long startOffset)
    {
        long bytes;
        lock (_lock)
        {
            if (_phase is StreamPhase.Lost or StreamPhase.Closed || (range.EndOffset <= _uploaded && range.EndOffset > startOffset))
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
            if (_phase is StreamPhase.Lost or StreamPhase.Closed)
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
        if (_phase == StreamPhase.Lost)
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
