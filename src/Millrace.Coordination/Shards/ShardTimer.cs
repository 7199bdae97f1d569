namespace Millrace.Coordination.Shards;

/// <summary>One deadline of a shard. Moving it is cheap, since every heartbeat does.</summary>
/// <param name="queue">Where it stands while it runs.</param>
/// <param name="operation">What it does when it fires.</param>
internal sealed class ShardTimer<TRecord>(TimerQueue<TRecord> queue, Action<CoordinatorResult<TRecord>> operation)
{
    public bool IsRunning { get; private set; }

    /// <summary>On the queue's clock; of meaning while it runs.</summary>
    internal TimeSpan Due { get; private set; }

    /// <summary>Where the queue holds it: at or before <see cref="Due"/>; null if it does not.</summary>
    internal TimeSpan? Queued { get; set; }

    /// <summary>Starts it, or moves a running one's deadline.</summary>
    public void Start(TimeSpan delay)
    {
        IsRunning = true;
        Due = queue.Now + delay;
        // Later than where it is queued: the queue will find that out when it gets there.
        if (Queued is not { } queued || Due < queued)
        {
            queue.Hold(this);
        }
    }

    public void Stop() => IsRunning = false;

    internal void Fire(CoordinatorResult<TRecord> result)
    {
        IsRunning = false;
        operation(result);
    }
}
