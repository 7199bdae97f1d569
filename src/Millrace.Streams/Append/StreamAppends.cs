using Millrace.Streams.Cache;
using Millrace.Streams.State;

namespace Millrace.Streams.Append;

/// <summary>Appends to a stream: offset, WAL, log cache, and the confirm offset that follows once the WAL has made the record durable.</summary>
/// <remarks>
/// All room is taken before the WAL is asked. From its acceptance on, the record's offset is given out for good, and what goes with it is
/// a few assignments that cannot fail. What can, such as waking somebody, comes after them, and loses the stream.
/// The owner is told how far its records are durable by one thread at a time, with no lock held, until nothing is left to tell: it hears
/// offsets in order, and its locks and ours cannot wait for each other. An owner that throws hears nothing more: its stream is lost.
/// </remarks>
internal sealed class StreamAppends(StreamCore core, AppendContext context)
{
    private bool _isTelling;

    /// <summary>Appends a record that was found to be in order, and holds its buffer. See <see cref="IStream.AppendAsync"/>.</summary>
    public ValueTask AppendAsync(in StreamAppend append, AppendPermit permit)
    {
        var completion = context.Completions.Take() ?? new AppendCompletion(context.Completions);
        var began = context.WalWaits.Begin();
        ValueTask durable;
        long reserved;
        int held;
        lock (core.Lock)
        {
            var accepted = false;
            try
            {
                core.Life.ThrowIfNotAppendable();
                var offset = core.Offsets.Next;
                var end = core.Offsets.EndOfNext(append.Count);
                core.Cache.Reserve();
                completion.Begin(this, end, began);
                reserved = MemoryBudget.Take(permit);
                long position;
                try
                {
                    durable = core.Wal.AppendAsync(
                        new StreamRecord(core.Id, core.Epoch, offset, append.Count, append.MaxTimestamp, append.Payload)
                        {
                            PayloadChecksum = append.PayloadChecksum,
                        },
                        out position);
                    accepted = true;
                }
                finally
                {
                    if (!accepted)
                    {
                        context.Budget.Settle(reserved, held: 0);
                    }
                }

                core.Offsets.Append(end, append.Payload.Length);
                core.Life.Enter();
                held = core.Cache.Add(new CachedRecord(offset, append.Count, append.MaxTimestamp, position, append.Payload, append.Buffer)
                {
                    PayloadChecksum = append.PayloadChecksum,
                });
                core.Checkpoints.OnAppended(append.Payload.Length);
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
            context.Budget.Settle(reserved, held + RecordCost.UnderWay);
            context.Metrics.BytesAppended.Add(append.Payload.Length);
            context.Planner.OnAppended(held);
        }
        catch (Exception trouble)
        {
            core.LoseFor(trouble);
        }

        completion.Follow(durable);
        return task;
    }

    /// <summary>The record that ends here is durable, and with it all before: tasks of a WAL complete in order.</summary>
    /// <param name="end">The record's end.</param>
    /// <param name="began">When it was appended.</param>
    public void Confirm(long end, long began)
    {
        context.WalWaits.End(began);
        bool isOver;
        var tell = false;
        lock (core.Lock)
        {
            core.Life.Leave();
            isOver = core.Life.IsOver;
            if (!core.Life.HasEnded && core.Offsets.Confirm(end))
            {
                (tell, _isTelling) = (!_isTelling, true);
                core.Confirmed.Advance(end);
            }
        }

        context.Budget.Release(RecordCost.UnderWay);
        if (tell)
        {
            Tell();
        }
        else if (isOver)
        {
            core.ReleaseIfOver();
        }
    }

    /// <summary>An append's outcome will never be known here. The WAL is done with its memory.</summary>
    /// <returns>What its producer is told.</returns>
    public Exception Fail(Exception failure)
    {
        lock (core.Lock)
        {
            core.Life.Leave();
        }

        var reason = failure as StreamException ?? new StreamException(StreamError.WalFailed, $"The WAL failed: {failure.Message}", failure);
        core.Lose(reason);
        context.Budget.Release(RecordCost.UnderWay);
        core.ReleaseIfOver();
        return reason;
    }

    /// <inheritdoc cref="StreamCore.LoseFor"/>
    public Exception LoseFor(Exception trouble) => core.LoseFor(trouble);

    private void Tell()
    {
        var told = -1L;
        while (true)
        {
            long confirmed;
            lock (core.Lock)
            {
                confirmed = core.Offsets.Confirmed;
                if (confirmed == told)
                {
                    _isTelling = false;
                    return;
                }
            }

            core.Owner.OnConfirmed(confirmed);
            told = confirmed;
        }
    }
}
