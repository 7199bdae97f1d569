namespace Millrace.Broker.Purgatory;

/// <summary>One fetch that waits until enough bytes have become readable in its partitions, or something else that it must tell.</summary>
/// <remarks>Threading: partitions report from any thread; the fetch's flow alone begins and ends the wait.</remarks>
internal sealed class FetchWait
{
    private readonly TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly (PartitionProgress Progress, LinkedListNode<FetchWait> Place)[] _watched;
    private int _watching;
    private long _missing;

    /// <param name="missing">Bytes that have to become readable before the fetch is worth answering; positive.</param>
    /// <param name="partitions">How many partitions it will watch at most.</param>
    public FetchWait(long missing, int partitions)
    {
        _missing = missing;
        _watched = new (PartitionProgress, LinkedListNode<FetchWait>)[partitions];
    }

    /// <summary>Completes when the fetch should look again.</summary>
    public Task Woken => _woken.Task;

    /// <summary>Watches a partition's progress from a point that the fetch took before it read.</summary>
    public void Watch(PartitionProgress progress, ProgressMark since)
    {
        _watched[_watching] = (progress, progress.Add(this, since));
        _watching++;
    }

    /// <summary>Watches no more. Called when the wait is over, for whatever reason.</summary>
    public void End()
    {
        foreach (var (progress, place) in _watched.AsSpan(0, _watching))
        {
            progress.Remove(place);
        }

        _watching = 0;
    }

    internal void Report(long bytes)
    {
        if (Interlocked.Add(ref _missing, -bytes) <= 0)
        {
            _woken.TrySetResult();
        }
    }

    internal void Wake() => _woken.TrySetResult();
}
