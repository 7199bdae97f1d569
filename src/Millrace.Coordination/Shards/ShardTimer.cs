namespace Millrace.Coordination.Shards;

/// <summary>One deadline of a shard. Moving it is cheap, since every heartbeat does.</summary>
internal sealed class ShardTimer<TRecord>
{
    private readonly TimerQueue<TRecord> _queue;
    private readonly Action<CoordinatorResult<TRecord>> _operation;

    internal ShardTimer(TimerQueue<TRecord> queue, Action<CoordinatorResult<TRecord>> operation)
    {
        _queue = queue;
        _operation = operation;
    }

    public bool IsRunning { get; private set; }

    /// <summary>On the queue's clock; of meaning while it runs.</summary>
    internal TimeSpan Due { get; private set; }

    /// <summary>Where the queue holds it: at or before <see cref="Due"/>; null if it does not.</summary>
    internal TimeSpan? Queued { get; set; }

    /// <summary>Starts it, or moves a running one's deadline.</summary>
    public void Start(TimeSpan delay)
    {
        IsRunning = true;
        Due = _queue.Now + delay;
        // Later than where it is queued: the queue will find that out when it gets there.
        if (Queued is not { } queued || Due < queued)
        {
            _queue.Hold(this);
        }
    }

    public void Stop() => IsRunning = false;

    internal void Fire(CoordinatorResult<TRecord> result)
    {
        IsRunning = false;
        _operation(result);
    }
}
