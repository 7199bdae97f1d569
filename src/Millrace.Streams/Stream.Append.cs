using System.Runtime.CompilerServices;
using Millrace.Streams.Cache;

namespace Millrace.Streams;

/// <summary>Appending: offset, WAL, cache, and the confirm offset that follows.</summary>
internal sealed partial class Stream
{
    public ValueTask AppendAsync(in StreamAppend append, AppendPermit permit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(append.Count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(append.Payload.Length, _store.Components.Wal.MaxRecordBytes);
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

    private ValueTask Append(in StreamAppend append, AppendPermit permit)
    {
        ValueTask durable;
        long end;
        int held;
        lock (_lock)
        {
            ThrowIfEnded_NeedsLock();
            if (_state == StreamState.Closing)
            {
                throw new StreamException(StreamError.Closed, $"Stream {Id} is closing on this node");
            }

            var offset = _next;
            end = checked(offset + append.Count);
            var reserved = MemoryBudget.Take(permit);
            long position;
            try
            {
                durable = _store.Components.Wal.AppendAsync(
                    new StreamRecord(Id, Epoch, offset, append.Count, append.MaxTimestamp, append.Payload) { PayloadChecksum = append.PayloadChecksum },
                    out position);
            }
            catch
            {
                _store.Budget.Settle(reserved, held: 0);
                throw;
            }

            held = _cache.Add(new CachedRecord(offset, append.Count, append.MaxTimestamp, position, append.Payload, append.Buffer)
            {
                PayloadChecksum = append.PayloadChecksum,
            });
            _store.Budget.Settle(reserved, held);
            _next = end;
            _inFlight++;
        }

        _store.OnAppended(append.Payload.Length, held);
        return ConfirmAsync(durable, end);
    }

    // The boxes of these state machines are pooled: an append that waits for its flush leaves no garbage.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ConfirmAsync(ValueTask durable, long end)
    {
        try
        {
            await durable;
        }
        catch (StreamException failure)
        {
            Settle(failure);
            throw;
        }
        catch (Exception failure)
        {
            var lost = new StreamException(StreamError.WalFailed, $"The WAL failed: {failure.Message}", failure);
            Settle(lost);
            throw lost;
        }

        Confirm(end);
    }

    /// <summary>The record that ends here is durable, and with it all before: tasks of a WAL complete in order.</summary>
    private void Confirm(long end)
    {
        bool ended;
        lock (_lock)
        {
            _inFlight--;
            ended = _state is StreamState.Lost or StreamState.Closed;
            if (end > _confirm && !ended)
            {
                _confirm = end;
                _confirmWaiters.Advance(end);
                if (_notifying)
                {
                    return;
                }

                _notifying = true;
            }
            else if (!ended)
            {
                return;
            }
        }

        if (ended)
        {
            ReleaseIfDone();
            return;
        }

        NotifyOwner();
    }

    // One thread at a time tells the owner, with no lock held, until nothing is left to tell: the owner hears offsets in order, and its
    // locks and ours cannot wait for each other.
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

    /// <summary>An append's outcome will never be known here. The WAL is done with its memory.</summary>
    private void Settle(StreamException failure)
    {
        lock (_lock)
        {
            _inFlight--;
        }

        Lose(failure);
        ReleaseIfDone();
    }
}
