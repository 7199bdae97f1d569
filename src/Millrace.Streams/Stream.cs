using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;

namespace Millrace.Streams;

/// <summary>A stream open on this node: offsets, states, and who is told of what.</summary>
/// <remarks>
/// Offsets, in order: start ≤ uploaded (committed in objects) ≤ cut (in objects under way) ≤ confirm (durable) ≤ next. Threading: all
/// state is under one lock, held for a few instructions and over the WAL's (non-blocking) append, so that the WAL's
/// order is the stream's. The owner is never called with the lock held, since it appends under a lock of its own.
/// </remarks>
internal sealed partial class Stream : IStream
{
    private readonly Lock _lock = new();
    private readonly StreamStore _store;
    private readonly IStreamOwner _owner;
    private readonly LogCache _cache;
    private readonly CommittedRanges _ranges = new();
    private readonly ColdReader _cold;
    private readonly OffsetWaiters _confirmWaiters = new();
    private readonly OffsetWaiters _uploadWaiters = new();
    private readonly OffsetWaiters _checkpointWaiters = new();
    private StreamPhase _phase = StreamPhase.Open;
    private StreamException? _lost;
    private long _start;
    private long _uploaded;
    private long _cut;
    private long _confirm;
    private long _next;
    private long _checkpoint;
    private bool _checkpointWanted;
    private int _checkpointBytes;
    private long _sinceCheckpoint;
    private int _inFlight;
    private int _cutsUnderWay;
    private bool _notifying;
    private long? _pin;

    public Stream(StreamStore store, StreamId id, StreamEpoch epoch, IStreamOwner owner, StreamOpening opening,
        IReadOnlyList<ObjectRange> ranges, StreamCheckpoint? checkpoint)
    {
        _store = store;
        _owner = owner;
        Id = id;
        Epoch = epoch;
        Epochs = opening.Epochs;
        Checkpoint = checkpoint;
        _cache = new LogCache(store.Components.Buffers);
        _cold = new ColdReader(store, this);
        _start = opening.StartOffset;
        _uploaded = _cut = _confirm = _next = opening.EndOffset;
        _checkpoint = opening.CheckpointRange?.EndOffset ?? 0;
        _checkpointBytes = checkpoint?.State.Length ?? 0;
        _ranges.Replace(ranges);
    }

    public StreamId Id { get; }

    public StreamEpoch Epoch { get; }

    public IReadOnlyList<EpochStart> Epochs { get; }

    public StreamCheckpoint? Checkpoint { get; }

    public long StartOffset => Volatile.Read(ref _start);

    public long ConfirmOffset => Volatile.Read(ref _confirm);

    public long NextOffset => Volatile.Read(ref _next);

    public IReadOnlyList<StreamExtent> Extents
    {
        get
        {
            lock (_lock)
            {
                var extents = new List<StreamExtent>(_ranges.Count + 1);
                for (var i = 0; i < _ranges.Count; i++)
                {
                    var range = _ranges[i];
                    extents.Add(new(range.StartOffset, range.EndOffset, range.Bytes, range.MaxTimestamp));
                }

                if (_confirm > _uploaded)
                {
                    extents.Add(ConfirmedTail_NeedsLock());
                }

                return extents;
            }
        }
    }

    /// <summary>The stream is of no use on this node any more. The first reason counts, and its owner hears of it once.</summary>
    public void Lose(StreamException reason)
    {
        lock (_lock)
        {
            if (_phase is StreamPhase.Lost or StreamPhase.Closed)
            {
                return;
            }

            // What no object holds must stay in the WAL, until the registry says that nobody will ever ask for it: see WalTrim.
            _pin = reason.Error == StreamError.Unknown ? null : OldestNeededPosition_NeedsLock();
            LastPosition = _cache.LastPosition;
            (_phase, _lost) = (StreamPhase.Lost, reason);
            _confirmWaiters.Fail(reason);
            _uploadWaiters.Fail(reason);
            _checkpointWaiters.Fail(reason);
        }

        _store.OnLost(this, reason);
        _owner.OnLost(reason.Error);
        ReleaseIfDone();
    }

    /// <summary>Frees the memory of a stream that ended, once the WAL and uploads are done with it.</summary>
    private void ReleaseIfDone()
    {
        long released;
        lock (_lock)
        {
            if (_phase is not (StreamPhase.Lost or StreamPhase.Closed) || _inFlight > 0 || _cutsUnderWay > 0)
            {
                return;
            }

            released = _cache.Evict(long.MaxValue);
        }

        _store.Budget.Release(released);
    }

    private StreamExtent ConfirmedTail_NeedsLock()
    {
        var (bytes, maxTimestamp) = (0L, long.MinValue);
        for (var at = _cache.Seek(_uploaded); at.IsAtRecord && at.Record.EndOffset <= _confirm; at.MoveNext())
        {
            bytes += at.Record.Payload.Length;
            maxTimestamp = Math.Max(maxTimestamp, at.Record.MaxTimestamp);
        }

        return new(_uploaded, _confirm, bytes, maxTimestamp);
    }

    private void ThrowIfEnded_NeedsLock()
    {
        if (_lost is { } lost)
        {
            throw new StreamException(lost.Error, lost.Message, lost);
        }

        if (_phase == StreamPhase.Closed)
        {
            throw new StreamException(StreamError.Closed, $"Stream {Id} is closed on this node");
        }
    }
}
