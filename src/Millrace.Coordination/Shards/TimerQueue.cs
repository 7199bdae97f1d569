namespace Millrace.Coordination.Shards;

/// <summary>The timers of one shard, in order of their deadlines; those of one moment in the order they were set.</summary>
/// <remarks>Belongs to the shard: not safe for concurrent use. Nothing fires by itself; the runtime asks for what is due.</remarks>
internal sealed class TimerQueue<TRecord>(TimeProvider time)
{
    private readonly PriorityQueue<(ShardTimer<TRecord> Timer, TimeSpan Queued), (TimeSpan Queued, long Sequence)> _queue = new();
    private readonly long _origin = time.GetTimestamp();
    private long _sequence;

    /// <summary>Time since the queue was made. Monotonic: a clock that is set back delays no session.</summary>
    public TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>A timer at rest.</summary>
    /// <param name="operation">What it does when it fires, as an operation of the shard.</param>
    public ShardTimer<TRecord> Create(Action<CoordinatorResult<TRecord>> operation) => new(this, operation);

    /// <summary>Takes the next timer whose deadline has come, to be fired.</summary>
    public ShardTimer<TRecord>? TakeDue()
    {
        var now = Now;
        return Next() is { } next && next.Due <= now ? Take(next) : null;
    }

    /// <summary>How long until the next deadline; null if there is none.</summary>
    public TimeSpan? UntilNext() => Next() is { } next ? TimeSpan.FromTicks(Math.Max(0, (next.Due - Now).Ticks)) : null;

    internal void Hold(ShardTimer<TRecord> timer)
    {
        timer.Queued = timer.Due;
        _queue.Enqueue((timer, timer.Due), (timer.Due, _sequence++));
    }

    /// <summary>The first running timer, after dropping entries that were stopped or superseded and moving those that were postponed.</summary>
    private ShardTimer<TRecord>? Next()
    {
        while (_queue.TryPeek(out var entry, out _))
        {
            var (timer, queued) = entry;
            if (timer.Queued == queued && timer.IsRunning && timer.Due == queued)
            {
                return timer;
            }

            _queue.Dequeue();
            if (timer.Queued != queued)
            {
                continue;
            }

            timer.Queued = null;
            if (timer.IsRunning)
            {
                Hold(timer);
            }
        }

        return null;
    }

    private ShardTimer<TRecord> Take(ShardTimer<TRecord> timer)
    {
        _queue.Dequeue();
        timer.Queued = null;
        return timer;
    }
}
