using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Streams.State;

/// <summary>
/// What the sides of an open stream share, those that append, read and upload: how far it has come, its newest records, where the others lie,
/// who waits for what; and its end.
/// </summary>
/// <remarks>
/// Threading: all of it is under one lock, held for a few instructions and over the WAL's (non-blocking) append, so that the WAL's order is the
/// stream's. The owner is never called with the lock held, since it appends under a lock of its own.
/// </remarks>
internal sealed class StreamCore : ITailHolder
{
    private readonly IStreamHost _host;
    private readonly MemoryBudget _budget;
    private long? _pin;

    /// <param name="id">The stream.</param>
    /// <param name="epoch">What it is open at.</param>
    /// <param name="owner">The layer above.</param>
    /// <param name="opening">What the registry said when it was opened.</param>
    /// <param name="checkpointBytes">The size of the newest checkpoint.</param>
    /// <param name="replayedBytes">The payload behind it.</param>
    /// <param name="wal">Where its records are durable until they are uploaded.</param>
    /// <param name="host">Who keeps it.</param>
    /// <param name="budget">Keeps account of the memory of its records.</param>
    /// <param name="buffers">Lends memory for their places.</param>
    public StreamCore(
        StreamId id, StreamEpoch epoch, IStreamOwner owner, StreamOpening opening, int checkpointBytes, long replayedBytes, IWriteAheadLog wal,
        IStreamHost host, MemoryBudget budget, BufferPool buffers)
    {
        (_host, _budget) = (host, budget);
        (Id, Epoch, Owner, Wal) = (id, epoch, owner, wal);
        Life = new StreamLife(id);
        Offsets = new StreamOffsets(opening.StartOffset, opening.EndOffset);
        Checkpoints = new CheckpointDebt(opening.CheckpointRange?.EndOffset ?? 0, checkpointBytes, replayedBytes);
        Cache = new LogCache(id, epoch, buffers);
        Tail = new TailPart(this);
    }

    public StreamId Id { get; }

    public StreamEpoch Epoch { get; }

    public IStreamOwner Owner { get; }

    /// <summary>Where its records are durable until they are uploaded: one of the node's WALs, as long as it is open at this epoch.</summary>
    public IWriteAheadLog Wal { get; }

    public Lock Lock { get; } = new();

    public StreamLife Life { get; }

    public StreamOffsets Offsets { get; }

    /// <summary>The newest records: those not uploaded yet, and others as long as memory permits.</summary>
    public LogCache Cache { get; }

    /// <summary>Where the others lie.</summary>
    public CommittedRanges Ranges { get; } = new();

    /// <summary>How many ranges there are. From any thread.</summary>
    public int RangeCount
    {
        get
        {
            lock (Lock)
            {
                return Ranges.Count;
            }
        }
    }

    public CheckpointDebt Checkpoints { get; }

    /// <summary>Its place in the tail cache.</summary>
    public TailPart Tail { get; }

    /// <summary>Who waits for records to be durable.</summary>
    public OffsetWaiters Confirmed { get; } = new();

    /// <summary>Who waits for records to be committed in objects.</summary>
    public OffsetWaiters Uploaded { get; } = new();

    /// <summary>
    /// The place in the WAL of the oldest record that no committed object holds; null if there is none, or nobody will ever ask for it.
    /// </summary>
    public long? OldestNeededPosition
    {
        get
        {
            lock (Lock)
            {
                return OldestNeededPosition_NeedsLock();
            }
        }
    }

    /// <summary>It has ended, and the WAL and uploads are done with its memory.</summary>
    public bool IsOver
    {
        get
        {
            lock (Lock)
            {
                return Life.IsOver;
            }
        }
    }

    /// <summary>It was closed in good order.</summary>
    public bool IsClosed
    {
        get
        {
            lock (Lock)
            {
                return Life.Phase == StreamPhase.Closed;
            }
        }
    }

    /// <summary>Of a lost stream: the place in the WAL of its last record that was still cached; -1 if there was none.</summary>
    public long LastPosition { get; private set; } = -1;

    /// <summary>The stream is of no use on this node any more. The first reason counts, and its owner hears of it once.</summary>
    public void Lose(StreamException reason)
    {
        lock (Lock)
        {
            if (Life.HasEnded)
            {
                return;
            }

            // What no object holds must stay in the WAL, until the registry says that nobody will ever ask for it.
            _pin = reason.Error == StreamError.Unknown ? null : OldestNeededPosition_NeedsLock();
            LastPosition = Cache.LastPosition;
            Life.Lose(reason);
            Confirmed.Fail(reason);
            Uploaded.Fail(reason);
            Checkpoints.Fail(reason);
        }

        _host.OnLost(this, reason);
        Owner.OnLost(reason.Error);
        ReleaseIfOver();
    }

    /// <summary>
    /// Something failed behind the acceptance of an append, or in an upload, that nobody foresaw: the stream does not go on with what that left.
    /// </summary>
    /// <returns>What its producer is told.</returns>
    public Exception LoseFor(Exception trouble)
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
    /// The registry has told where the records lie by now. It may have trimmed them further than this node knows: whoever asked it to gave up before it heard.
    /// </summary>
    /// <param name="loaded">Its ranges, from the start that is known here on.</param>
    /// <param name="offset">Somebody reads there.</param>
    /// <returns>The range that holds that, by now.</returns>
    /// <exception cref="StreamException">The stream has ended.</exception>
    public ObjectRange? Refresh(IReadOnlyList<ObjectRange> loaded, long offset)
    {
        long released;
        ObjectRange? found;
        lock (Lock)
        {
            Life.ThrowIfEnded();
            Refresh_NeedsLock(loaded);
            released = Cache.Evict(Offsets.Start);
            found = Ranges.Find(offset);
        }

        _budget.Release(released);
        return found;
    }

    /// <inheritdoc cref="Refresh"/>
    public void Refresh_NeedsLock(IReadOnlyList<ObjectRange> loaded)
    {
        if (loaded.Count > 0)
        {
            Offsets.Trim(Math.Min(loaded[0].StartOffset, Offsets.Uploaded));
        }

        Ranges.Refresh(loaded, Offsets.Start, Offsets.Uploaded);
    }

    /// <summary>
    /// Records need not be durable to be taken by an upload, since they become so without one: of a stream that has no more to come, and whose newest waits
    /// for no space in the WAL.
    /// </summary>
    public bool GoesBeside_NeedsLock(long end) =>
        Life.Phase == StreamPhase.Closing && end == Offsets.Next && Wal.HasPlaceFor(Cache.LastPosition);

    /// <summary>Ends when everything below an offset is durable.</summary>
    public Task WhenConfirmed_NeedsLock(long end) => Offsets.Confirmed >= end ? Task.CompletedTask : Confirmed.Add(end);

    /// <summary>
    /// The registry is about to be asked to close its range at an end: from here on it cannot be taken back. Null if it is not to be asked, since the stream
    /// goes on, or has ended.
    /// </summary>
    public StreamClose? AskToClose(long end)
    {
        lock (Lock)
        {
            if (Life.Phase != StreamPhase.Closing || Life.IsRangeClosed || end != Offsets.Next)
            {
                return null;
            }

            Life.Ask();
            return new StreamClose(Id, Epoch, end, Life.HandsOver);
        }
    }

    /// <inheritdoc cref="IStream.TryTakeBack"/>
    public bool TryTakeBack(HandOverRules rules)
    {
        lock (Lock)
        {
            return Life.TryReopen(rules);
        }
    }

    /// <summary>An upload has closed its range in the registry, as whoever closes the stream hears next.</summary>
    public void OnRangeClosed()
    {
        lock (Lock)
        {
            Life.OnRangeClosed();
        }
    }

    /// <summary>Its range is closed in the registry, unless it was taken back.</summary>
    /// <exception cref="StreamException">It was lost meanwhile.</exception>
    public void Close()
    {
        lock (Lock)
        {
            if (Life.Phase is StreamPhase.Closed or StreamPhase.Open)
            {
                // Somebody else who closed it at the same time was faster; or has taken it back, and does not wait for this any more.
                return;
            }

            Life.Close();
            Checkpoints.Fail(new StreamException(StreamError.Closed, $"Stream {Id} was closed while it was trimmed"));
        }

        _host.OnClosed(this);
        ReleaseIfOver();
    }

    /// <summary>The WAL, or an upload, is done with the stream's memory.</summary>
    public void Leave()
    {
        lock (Lock)
        {
            Life.Leave();
        }

        ReleaseIfOver();
    }

    /// <summary>Frees the memory of a stream that ended, once the WAL and uploads are done with it.</summary>
    public void ReleaseIfOver()
    {
        long released;
        lock (Lock)
        {
            if (!Life.IsOver)
            {
                return;
            }

            released = Cache.Evict(long.MaxValue);
        }

        _budget.Release(released);
    }

    /// <inheritdoc/>
    public void EvictUploaded(long endOffset)
    {
        long released;
        lock (Lock)
        {
            released = Cache.Evict(Math.Min(endOffset, Offsets.Uploaded));
        }

        _budget.Release(released);
    }

    private long? OldestNeededPosition_NeedsLock()
    {
        if (Life.Phase == StreamPhase.Lost)
        {
            return _pin;
        }

        if (Offsets.Uploaded == Offsets.Next)
        {
            return null;
        }

        return Cache.TryFind(Offsets.Uploaded, out var oldest) ? oldest.Record.WalPosition : null;
    }
}
