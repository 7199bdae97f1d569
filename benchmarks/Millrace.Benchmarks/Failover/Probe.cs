using System.Diagnostics;

namespace Millrace.Benchmarks.Failover;

/// <summary>A record to every partition, and how long after the first of them each was acknowledged.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class Probe(int partitions)
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly TimeSpan[] _after = new TimeSpan[partitions];
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = partitions;

    public void Acknowledge(int partition)
    {
        _after[partition] = Stopwatch.GetElapsedTime(_began);
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _all.SetResult();
        }
    }

    /// <summary>Waits until all are acknowledged.</summary>
    /// <returns>How long each took, in ascending order.</returns>
    /// <exception cref="TimeoutException">Not in time: says how many are missing.</exception>
    public TimeSpan[] Wait(TimeSpan limit)
    {
        if (!_all.Task.Wait(limit))
        {
            throw new TimeoutException($"{Volatile.Read(ref _left)} of {_after.Length} partitions have acknowledged nothing for {limit.TotalSeconds:F0} s");
        }

        return [.. _after.Order()];
    }
}
