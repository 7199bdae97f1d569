namespace Millrace.Broker.Purgatory;

/// <summary>One fetch that waits until enough bytes have become readable in its partitions, or something else that it must tell.</summary>
/// <remarks>Threading: partitions report from any thread; the fetch's flow alone begins and ends the wait.</remarks>
internal sealed class FetchWait
{
    private readonly TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FetchWatch[] _watches;
    private int _watching;
    private long _missing;

    /// <param name="missing">Bytes that have to become readable before the fetch is worth answering; positive.</param>
    /// <param name="partitions">How many partitions it will watch at most.</param>
    public FetchWait(long missing, int partitions)
    {
        _missing = missing;
        _watches = new FetchWatch[partitions];
    }

    /// <summary>Completes when the fetch should look again.</summary>
    public Task Woken => _woken.Task;

    /// <summary>Watches a partition's progress from a point that the fetch took before it read.</summary>
    public void Watch(PartitionProgress progress, ProgressMark since)
    {
        var watch = new FetchWatch(this);
        _watches[_watching++] = watch;
        progress.Add(watch, since);
    }

    /// <summary>Watches no more. Called when the wait is over, for whatever reason.</summary>
    public void End()
    {
        for (var i = 0; i < _watching; i++)
        {
            _watches[i].List?.Remove(_watches[i]);
        }
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
