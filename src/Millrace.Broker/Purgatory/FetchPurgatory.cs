using Millrace.Runtime;

namespace Millrace.Broker.Purgatory;

/// <summary>Where fetches wait that have too little to answer with: without a thread, each with one timer.</summary>
internal sealed class FetchPurgatory(NodeRuntime runtime)
{
    private int _waiting;

    /// <summary>How many fetches wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Waits until the fetch should look again: enough has become readable, its time is up, or nobody waits for it any more.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="token"/> was cancelled.</exception>
    public async ValueTask WaitAsync(FetchWait wait, TimeSpan limit, CancellationToken token)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await using var timer = runtime.Time.CreateTimer(static wait => ((FetchWait)wait!).Wake(), wait, limit, Timeout.InfiniteTimeSpan);
            await using var registration = token.UnsafeRegister(static wait => ((FetchWait)wait!).Wake(), wait);
            await wait.Woken;
            token.ThrowIfCancellationRequested();
        }
        finally
        {
            wait.End();
            Interlocked.Decrement(ref _waiting);
        }
    }
}
