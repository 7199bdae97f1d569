using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Cache;

namespace Millrace.Streams;

/// <summary>Appending: offset, WAL, cache, and the confirm offset that follows.</summary>
/// <remarks>
/// All room is taken before the WAL is asked. From its acceptance on, the record's offset is given out for good, and what goes with it is
/// a few assignments that cannot fail. What can, such as waking somebody, comes after them, and loses the stream.
/// </remarks>
internal sealed partial class Stream
{
    public ValueTask AppendAsync(in StreamAppend append, AppendPermit permit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(append.Count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(append.Payload.Length, _store.Components.Wal.MaxRecordBytes);
        ThrowIfMisstated(append);
        if (append.Payload.Length > SmallRecordArena.LargestPayload)
        {
            return Append(append, permit);
        }

        var payload = _store.SmallRecords.Copy(append.Payload.Span, out var holder);
        try
        {
            return Append(append with { Payload = payload, Buffer = holder }, permit);
        }
        finally
        {
            holder.Release();
        }
    }

    /// <summary>The record that ends here is durable, and with it all before: tasks of a WAL complete in order.</summary>
    internal void Confirm(long end)
    {
        bool ended;
        bool tell;
        lock (_lock)
        {
            _inFlight--;
            ended = _phase is StreamPhase.Lost or StreamPhase.Closed;
            tell = !ended && end > _confirm && !_notifying;
            if (!ended && end > _confirm)
            {
                _confirm = end;
                _notifying = true;
                _confirmWaiters.Advance(end);
            }
        }

        _store.Budget.Release(RecordCost.UnderWay);
        if (ended)
        {
            ReleaseIfDone();
        }
        else if (tell)
        {
            NotifyOwner();
        }
    }

    /// <summary>An append's outcome will never be known here. The WAL is done with its memory.</summary>
    /// <returns>What its producer is told.</returns>
    internal Exception Fail(Exception failure)
    {
        lock (_lock)
        {
            _inFlight--;
        }

        var reason = failure as StreamException ?? new StreamException(StreamError.WalFailed, $"The WAL failed: {failure.Message}", failure);
        Lose(reason);
        _store.Budget.Release(RecordCost.UnderWay);
        ReleaseIfDone();
        return reason;
    }

    /// <summary>Something failed behind the acceptance of an append, or in an upload, that nobody foresaw: the stream does not go on with what that left.</summary>
    /// <returns>What its producer is told.</returns>
    internal Exception LoseFor(Exception trouble)
    {
        if (trouble is InvariantViolationException)
        {
            return trouble;
        }

        var reason = new StreamException(StreamError.WalFailed, $"Stream {Id} cannot go on after an error that nobody expected: {trouble.Message}", trouble);
        try
        {
            Lose(reason);
        }
        catch (Exception failure) when (failure is not InvariantViolationException)
        {
            // The stream is lost all the same: that comes first.
        }

        return reason;
    }

    /// <summary>
    /// WAL blocks and objects take over the checksum that a caller states, and a wrong one would make them unreadable, neighbours included. Short
    /// payloads are summed up there anyway.
    /// </summary>
    private void ThrowIfMisstated(in StreamAppend append)
    {
        if (append.PayloadChecksum is { } stated && append.Payload.Length >= Crc32C.WorthJoining && Crc32C.Of(append.Payload.Span) != stated)
        {
            throw new StreamException(StreamError.Corrupt, $"A record for stream {Id} does not have the checksum that its caller states");
        }
    }

    private ValueTask Append(in StreamAppend append, AppendPermit permit)
    {
        var completion = _store.Completions.Take();
        ValueTask durable;
        long reserved;
        int held;
        lock (_lock)
        {
            var accepted = false;
            try
            {
                ThrowIfEnded_NeedsLock();
                if (_phase == StreamPhase.Closing)
                {
                    throw new StreamException(StreamError.Closed, $"Stream {Id} is closing on this node");
                }

                var offset = _next;
                var end = checked(offset + append.Count);
                _cache.Reserve();
                completion.Begin(this, end);
                reserved = MemoryBudget.Take(permit);
                long position;
                try
                {
                    durable = _store.Components.Wal.AppendAsync(
                        new StreamRecord(Id, Epoch, offset, append.Count, append.MaxTimestamp, append.Payload) { PayloadChecksum = append.PayloadChecksum },
                        out position);
                    accepted = true;
                }
                finally
                {
                    if (!accepted)
                    {
                        _store.Budget.Settle(reserved, held: 0);
                    }
                }

                _next = end;
                _inFlight++;
                held = _cache.Add(new CachedRecord(offset, append.Count, append.MaxTimestamp, position, append.Payload, append.Buffer)
                {
                    PayloadChecksum = append.PayloadChecksum,
                });
                _sinceCheckpoint += append.Payload.Length;
            }
            finally
            {
                if (!accepted)
                {
                    completion.GiveBack();
                }
            }
        }

        // The caller's from now on, whatever happens: it may complete, and be used again, at any moment.
        var task = completion.Task;
        try
        {
            _store.Budget.Settle(reserved, held + RecordCost.UnderWay);
            _store.OnAppended(append.Payload.Length, held);
        }
        catch (Exception trouble)
        {
            LoseFor(trouble);
        }

        completion.Follow(durable);
        return task;
    }

    // One thread at a time tells the owner, with no lock held, until nothing is left to tell: the owner hears offsets in order, and its
    // locks and ours cannot wait for each other. An owner that throws hears nothing more: its stream is lost.
    private void NotifyOwner()
    {
        var told = -1L;
        while (true)
        {
            long confirm;
            lock (_lock)
            {
                confirm = _confirm;
                if (confirm == told)
                {
                    _notifying = false;
                    return;
                }
            }

            _owner.OnConfirmed(confirm);
            told = confirm;
        }
    }
}
