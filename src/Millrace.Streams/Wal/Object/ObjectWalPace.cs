namespace Millrace.Streams.Wal.Object;

/// <summary>How long appends gather for one object, and how large that may become: by how long the objects before it took.</summary>
/// <remarks>
/// They gather while objects are under way, for a part of the time that one takes: on a fast store hardly at all, on a slow one long enough that a few
/// objects cover the round trip. Over a link so slow that objects take many seconds they become smaller, lest those that are under way together take each
/// other's time until none arrives within its limit. Threading: any thread. Objects end in the order in which they begin.
/// </remarks>
internal sealed class ObjectWalPace(TimeProvider time, ObjectWalOptions options)
{
    // With batches gathered for a quarter of a round trip, four or five objects are under way: some stay free for large ones.
    private const double GatheredShare = 0.25;

    // Below this a round trip costs more than the bytes.
    private const int SmallestBatchBytes = 64 << 10;

    // A change of latency is believed after about five objects.
    private const double LatencyWeight = 0.2;

    private readonly Lock _lock = new();

    // When each of the objects that are under way was begun, in order: timestamps.
    private readonly Queue<long> _underWay = new();
    private TimeSpan _latency;
    private int _batchBytes = options.BatchBytes;

    /// <summary>Bytes that one object takes at most at the moment.</summary>
    public int BatchBytes
    {
        get
        {
            lock (_lock)
            {
                return _batchBytes;
            }
        }
    }

    /// <summary>How long the next object is gathered for, if it is not full before.</summary>
    public TimeSpan Gathering
    {
        get
        {
            lock (_lock)
            {
                var pause = _underWay.Count == 0 ? TimeSpan.Zero : _latency * GatheredShare;
                return pause < options.LongestGathering ? pause : options.LongestGathering;
            }
        }
    }

    /// <summary>How long the oldest object that is under way has been so.</summary>
    public TimeSpan Stalled
    {
        get
        {
            lock (_lock)
            {
                return _underWay.TryPeek(out var begun) ? time.GetElapsedTime(begun) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>An object goes out.</summary>
    /// <returns>When: a timestamp, for <see cref="End"/>.</returns>
    public long Begin()
    {
        var begun = time.GetTimestamp();
        lock (_lock)
        {
            _underWay.Enqueue(begun);
        }

        return begun;
    }

    /// <summary>The oldest object that is under way has ended.</summary>
    /// <param name="begun">When it went out.</param>
    public void End(long begun)
    {
        var latency = time.GetElapsedTime(begun);
        lock (_lock)
        {
            _underWay.Dequeue();
            _latency = _latency == TimeSpan.Zero ? latency : _latency + (latency - _latency) * LatencyWeight;
            Adapt_NeedsLock(latency);
        }
    }

    private void Adapt_NeedsLock(TimeSpan latency)
    {
        var least = Math.Min(SmallestBatchBytes, options.BatchBytes);
        if (latency > options.LongestWrite)
        {
            _batchBytes = Math.Max(_batchBytes / 2, least);
        }
        else if (latency < options.LongestWrite / 4)
        {
            _batchBytes = (int)Math.Min(_batchBytes * 2L, options.BatchBytes);
        }
    }
}
