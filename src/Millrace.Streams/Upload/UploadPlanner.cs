using Millrace.Streams.Cache;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Upload;

/// <summary>
/// When an upload is due, and of what. Of all streams: when what is not yet cut holds <see cref="StreamsOptions.UploadBytes"/>, when the oldest
/// of it is <see cref="StreamsOptions.UploadInterval"/> old (older where many streams have little: <see cref="UploadIntervals"/>), and when appends wait for
/// memory or a WAL is half full: at once if no upload is under way, else when the oldest is a second old, since an upload that is under way may hang, or
/// be of other streams.
/// Of some: when somebody asks, since they close, move or are trimmed, or an upload had no room for them.
/// </summary>
/// <remarks>
/// What an upload of some streams takes stays counted until the next of all, which may so begin a little early: nothing is ever overlooked.
/// Threading: any thread asks, with locks held or not; one loop waits and takes.
/// </remarks>
internal sealed class UploadPlanner : IAsyncDisposable
{
    private const double WalIsHalfFull = 0.5;

    // Asking the WAL takes its lock, so only every 64th append asks: a few MiB at the very most, of hundreds.
    private const int AppendsBetweenLooks = 64;

    // Of records that are not cut there is none, or the first has been counted and not yet said when it came.
    private const long NotBegun = long.MaxValue;

    // Under pressure: long enough that a store which is only slow does not get many small objects instead of a few large ones.
    private static readonly TimeSpan PressedInterval = TimeSpan.FromSeconds(1);
    private readonly TimeProvider _time;
    private readonly StreamsOptions _options;
    private readonly NodeWals _wals;
    private readonly MemoryBudget _budget;
    private readonly Func<int> _streams;
    private readonly UploadSignal _signal = new();
    private readonly ITimer _timer;
    private readonly Lock _lock = new();

    // Each opening of a stream stands for itself: one that was lost may be asked for late, and must not take the place of the next. In the order of asking.
    private HashSet<StreamUploads> _asked = [];

    // What the loop took last: changes places with what is asked for, so that asking takes no memory once there has been as much of it.
    private HashSet<StreamUploads> _taken = [];
    private readonly HashSet<StreamUploads> _heldUp = [];
    private bool _allAsked;
    private int _gathering;
    private long _uncut;
    private long _uncutSince = NotBegun;
    private int _appends;

    // Of the records that are not cut yet, once they are as old as the shortest; null before. Of the loop.
    private TimeSpan? _interval;
    private long _lastIntervalTicks;

    /// <param name="time">For the age of records.</param>
    /// <param name="options">Size and age.</param>
    /// <param name="wals">Tell how full they are.</param>
    /// <param name="budget">Tells what appends wait for.</param>
    /// <param name="streams">Tells how many streams have records that are not cut. Asked by whoever takes, with no lock held.</param>
    public UploadPlanner(TimeProvider time, StreamsOptions options, NodeWals wals, MemoryBudget budget, Func<int> streams)
    {
        (_time, _options, _wals, _budget, _streams) = (time, options, wals, budget, streams);
        _lastIntervalTicks = options.UploadInterval.Ticks;
        _timer = time.CreateTimer(static signal => ((UploadSignal)signal!).Set(), _signal, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How long records may wait for an upload, as it was when the last of all was taken.</summary>
    public TimeSpan Interval => TimeSpan.FromTicks(Interlocked.Read(ref _lastIntervalTicks));

    /// <summary>Records have come to hold memory (0 if it is memory that others hold already).</summary>
    public void OnAppended(int held)
    {
        // Records count at least one, so that none is ever overlooked.
        var added = Math.Max(1, held);
        var uncut = Interlocked.Add(ref _uncut, added);
        if (uncut == added)
        {
            Interlocked.Exchange(ref _uncutSince, _time.GetTimestamp());
            _signal.Set();
        }
        else if ((uncut >= _options.UploadBytes && uncut - added < _options.UploadBytes)
            || (Interlocked.Increment(ref _appends) % AppendsBetweenLooks == 0 && _wals.Fullness > WalIsHalfFull))
        {
            _signal.Set();
        }
    }

    /// <summary>Asks for an upload of a stream, now. Asking again before it has begun asks for no more.</summary>
    public void Ask(StreamUploads stream)
    {
        lock (_lock)
        {
            _asked.Add(stream);
        }

        _signal.Set();
    }

    /// <summary>Asks for an upload of all streams, now.</summary>
    public void AskForAll()
    {
        lock (_lock)
        {
            _allAsked = true;
        }

        _signal.Set();
    }

    /// <summary>The upload of some streams cannot begin yet: it is due again when one that is under way has ended.</summary>
    public void HoldUp(IEnumerable<StreamUploads> streams)
    {
        lock (_lock)
        {
            _heldUp.UnionWith(streams);
        }
    }

    /// <summary>An upload has ended: what was held up may begin.</summary>
    public void OnUploadEnded()
    {
        lock (_lock)
        {
            _asked.UnionWith(_heldUp);
            _heldUp.Clear();
        }

        _signal.Set();
    }

    /// <summary>Lets no upload begin until it is disposed: whoever asks for several streams meanwhile gets them in one.</summary>
    public IDisposable Gather()
    {
        lock (_lock)
        {
            _gathering++;
        }

        return new Gathering(this);
    }

    /// <summary>Something that decides about uploads has changed.</summary>
    public void Wake() => _signal.Set();

    /// <summary>Ends when an upload may be due that was not before.</summary>
    public Task WaitAsync() => _signal.WaitAsync();

    /// <summary>
    /// Takes what is due, null if nothing is. What comes later is met by the upload that begins now, or asks for the next one. The order holds until the
    /// next is taken.
    /// </summary>
    /// <param name="isIdle">No upload is under way.</param>
    public UploadOrder? Take(bool isIdle)
    {
        // Each once, so that what is due by the shortest interval has been looked at, and in this order: whoever begins a new period counts its record first.
        var uncut = Interlocked.Read(ref _uncut);
        var since = Interlocked.Read(ref _uncutSince);
        var waited = since == NotBegun ? TimeSpan.Zero : _time.GetElapsedTime(since);
        if (_interval is null && uncut > 0 && waited >= _options.UploadInterval)
        {
            _interval = UploadIntervals.Of(_options, _streams(), uncut);
        }

        lock (_lock)
        {
            if (_gathering > 0)
            {
                return null;
            }

            if (_allAsked || AreAllDue(isIdle, uncut, waited))
            {
                Interlocked.Exchange(ref _lastIntervalTicks, (_interval ?? _options.UploadInterval).Ticks);
                _interval = null;
                _allAsked = false;

                // In this order: the next record's time must not be taken for the last one's, nor be forgotten.
                Interlocked.Exchange(ref _uncutSince, NotBegun);
                Interlocked.Exchange(ref _uncut, 0);
                _asked.Clear();
                _taken.Clear();
                _heldUp.Clear();
                return UploadOrder.Everything;
            }

            if (_asked.Count == 0)
            {
                return null;
            }

            var order = new UploadOrder(_asked);
            (_asked, _taken) = (_taken, _asked);
            _asked.Clear();
            return order;
        }
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private bool AreAllDue(bool isIdle, long uncut, TimeSpan waited)
    {
        if (uncut == 0)
        {
            return false;
        }

        var isPressed = _budget.Shortage > 0 || _wals.Fullness > WalIsHalfFull;
        if (uncut >= _options.UploadBytes || (isPressed && isIdle))
        {
            return true;
        }

        var interval = _interval ?? _options.UploadInterval;
        if (isPressed && PressedInterval < interval)
        {
            interval = PressedInterval;
        }

        var left = interval - waited;
        if (left <= TimeSpan.Zero)
        {
            return true;
        }

        _timer.Change(left, Timeout.InfiniteTimeSpan);
        return false;
    }

    private void EndGathering()
    {
        lock (_lock)
        {
            _gathering--;
        }

        _signal.Set();
    }

    private sealed class Gathering(UploadPlanner planner) : IDisposable
    {
        public void Dispose() => planner.EndGathering();
    }
}
