using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Wal.Object;

/// <summary>
/// A WAL in the object store: an object log with one term, that of this incarnation. Any node can seal it and read it, and
/// from then on this writer can acknowledge nothing.
/// </summary>
/// <remarks>
/// Appends gather while objects are under way, for a part of the time that one takes: on a fast store hardly at all, on
/// a slow one long enough that a few objects cover the round trip. Over a link so slow that objects take many seconds they become smaller,
/// lest those that are under way together take each other's time until none arrives within its limit. A store that does not answer makes appends wait; they
/// go on when it does. Threading: as <see cref="IWriteAheadLog"/>.
/// </remarks>
internal sealed class ObjectWal : IWriteAheadLog
{
    // With batches gathered for a quarter of a round trip, four or five objects are under way: some stay free for large ones.
    private const double GatheredShare = 0.25;

    // Below this a round trip costs more than the bytes.
    private const int SmallestBatchBytes = 64 << 10;

    private const double MostFullness = 0.99;

    // A change of latency is believed after about five objects.
    private const double LatencyWeight = 0.2;

    private readonly NodeRuntime _runtime;
    private readonly BufferPool _pool;
    private readonly ObjectLog _log;
    private readonly ObjectLogOwner _owner;
    private readonly ObjectWalOptions _options;
    private readonly WalAppendQueue _queue = new(0);
    private readonly AsyncGate _trimming = new(1);
    private readonly TaskCompletionSource<StreamException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _writing;
    private readonly Lock _lock = new();

    // Under _lock: objects that are acknowledged and not trimmed, by place and the position behind their last append.
    private readonly Queue<(LogPlace Place, long EndAppend)> _kept = new();
    private TimeSpan _latency;

    // When each of the objects that are under way was begun, in order: timestamps.
    private readonly Queue<long> _underWay = new();
    private int _batchBytes;
    private bool _disposed;

    internal ObjectWal(NodeRuntime runtime, BufferPool pool, ObjectLog log, WalDescriptor descriptor, ObjectWalOptions options)
    {
        _runtime = runtime;
        _pool = pool;
        _log = log;
        _options = options;
        _batchBytes = options.BatchBytes;
        Descriptor = descriptor;
        _owner = log.BeginTerm(descriptor.Id);
        _writing = runtime.Spawn("wal-writer", _ => WriteAsync());
    }

    public WalDescriptor Descriptor { get; }

    public int MaxRecordBytes => ObjectWalFormat.MaxRecordBytes;

    /// <summary>The bucket has room: what counts is how many objects a recovery would have to read. Appends never wait, and it is never full.</summary>
    public double Fullness
    {
        get
        {
            lock (_lock)
            {
                return Math.Min(MostFullness, _kept.Count / (2.0 * _options.UploadObjects));
            }
        }
    }

    public Task<StreamException> Lost => _lost.Task;

    public TimeSpan Stalled
    {
        get
        {
            lock (_lock)
            {
                return _underWay.TryPeek(out var begun) ? _runtime.Time.GetElapsedTime(begun) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Bytes that one object takes at most at the moment.</summary>
    internal int BatchBytes
    {
        get
        {
            lock (_lock)
            {
                return _batchBytes;
            }
        }
    }

    public ValueTask AppendAsync(in StreamRecord record, out long position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Payload.Length, MaxRecordBytes);
        return _queue.Append(record, out position);
    }

    public async ValueTask TrimAsync(long position, CancellationToken token)
    {
        await _trimming.EnterAsync(token);
        try
        {
            if (FindBoundary(position) is { } boundary)
            {
                await _log.TrimAsync(boundary, LogStart.Beginning(Descriptor.Id) with { Next = boundary }, token);
                Forget(boundary);
            }
        }
        finally
        {
            _trimming.Exit();
        }
    }

    public async ValueTask RetireAsync(CancellationToken token)
    {
        await DisposeAsync();
        await new ObjectWalTakeover(_log, Descriptor).RetireAsync(token);
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        _queue.End(new StreamException(StreamError.Closed, $"The WAL {Descriptor.Location} is closed"));
        await _owner.DisposeAsync();
        await _writing;
    }

    // It ends with the queue and not with the node's Stopping: appends that a stopping node still makes must settle.
    private async Task WriteAsync()
    {
        var previous = Task.CompletedTask;
        try
        {
            while (true)
            {
                await _queue.WaitAsync();
                await _owner.WaitForRoomAsync(CancellationToken.None);
                await GatherAsync();
                if (!_queue.Take(BatchBytes, out var appends))
                {
                    break;
                }

                if (appends.Count > 0)
                {
                    previous = WriteBatchAsync(new ObjectWalBatch(appends), previous);
                }
            }
        }
        catch (ObjectLogException refusal)
        {
            Lose(refusal);
        }

        await previous;
    }

    private async Task GatherAsync()
    {
        TimeSpan pause;
        lock (_lock)
        {
            pause = _underWay.Count == 0 ? TimeSpan.Zero : _latency * GatheredShare;
        }

        pause = pause < _options.LongestGathering ? pause : _options.LongestGathering;
        var enough = _queue.WaitAsync(BatchBytes);
        if (enough.IsCompleted || pause <= TimeSpan.Zero)
        {
            return;
        }

        using var settled = new CancellationTokenSource();
        await Waiting.Either(enough, Task.Delay(pause, _runtime.Time, settled.Token));
        settled.Cancel();
    }

    private async Task WriteBatchAsync(ObjectWalBatch batch, Task previous)
    {
        var begun = _runtime.Time.GetTimestamp();
        lock (_lock)
        {
            _underWay.Enqueue(begun);
        }

        LogPlace? place = null;
        StreamException? reason = null;
        try
        {
            place = await _owner.AppendAsync(batch.Build(_pool));
        }
        catch (Exception failure)
        {
            // Whatever it is: a batch that ended here without a word would keep every later one waiting.
            reason = Lose(failure);
        }

        batch.Release();

        // The log's tasks end in order; what runs after them here might not.
        await previous;
        Settle(batch, place, reason, _runtime.Time.GetElapsedTime(begun));
    }

    private void Settle(ObjectWalBatch batch, LogPlace? place, StreamException? reason, TimeSpan latency)
    {
        // Before they are settled, and used again.
        var end = batch.Appends.Last!.Position + 1;
        lock (_lock)
        {
            _underWay.Dequeue();
            _latency = _latency == TimeSpan.Zero ? latency : _latency + (latency - _latency) * LatencyWeight;
            Adapt_NeedsLock(latency);
        }

        try
        {
            RememberForTrimming(place, end);
        }
        catch (Exception failure)
        {
            // No room to remember it: nothing could ever be trimmed behind it.
            reason ??= Lose(failure);
        }

        if (batch.Appends.Settle(reason) is { } trouble)
        {
            Lose(trouble);
        }
    }

    private void RememberForTrimming(LogPlace? place, long endAppend)
    {
        lock (_lock)
        {
            if (place is { } acknowledged)
            {
                _kept.Enqueue((acknowledged, endAppend));
            }
        }
    }

    private void Adapt_NeedsLock(TimeSpan latency)
    {
        var least = Math.Min(SmallestBatchBytes, _options.BatchBytes);
        if (latency > _options.LongestWrite)
        {
            _batchBytes = Math.Max(_batchBytes / 2, least);
        }
        else if (latency < _options.LongestWrite / 4)
        {
            _batchBytes = (int)Math.Min(_batchBytes * 2L, _options.BatchBytes);
        }
    }

    /// <summary>
    /// The place below which nothing is needed, or null if nothing can go. Never above the newest acknowledged object: an open
    /// term keeps that, so that whoever seals it knows where it is.
    /// </summary>
    private LogPlace? FindBoundary(long position)
    {
        lock (_lock)
        {
            LogPlace? boundary = null;
            foreach (var (place, endAppend) in _kept.SkipLast(1))
            {
                if (endAppend > position)
                {
                    break;
                }

                boundary = place.Next;
            }

            return boundary;
        }
    }

    private void Forget(LogPlace boundary)
    {
        lock (_lock)
        {
            while (_kept.TryPeek(out var oldest) && oldest.Place < boundary)
            {
                _kept.Dequeue();
            }
        }
    }

    private StreamException Lose(Exception failure)
    {
        var reason = (failure as ObjectLogException)?.Error switch
        {
            ObjectLogError.Fenced => new StreamException(StreamError.Fenced, $"The WAL {Descriptor.Location} was taken over: {failure.Message}", failure),
            ObjectLogError.Closed => new StreamException(StreamError.Closed, $"The WAL {Descriptor.Location} is closed", failure),
            _ => new StreamException(StreamError.WalFailed, $"The WAL {Descriptor.Location} failed: {failure.Message}", failure),
        };
        _queue.End(reason);
        lock (_lock)
        {
            if (!_disposed)
            {
                _lost.TrySetResult(reason);
            }
        }

        return reason;
    }
}
