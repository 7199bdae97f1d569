namespace Millrace.Streams.Append;

/// <summary>Adds up how long appends wait until they are durable. Some tens of nanoseconds an append, and nothing that can fail.</summary>
/// <remarks>Threading: any thread. The two sums are not taken together: a mean of many does not show it.</remarks>
/// <param name="time">By which they wait.</param>
internal sealed class WalWaitTally(TimeProvider time)
{
    private long _appends;
    private long _waited;

    public WalWaits Sum => new(Volatile.Read(ref _appends), time.GetElapsedTime(0, Volatile.Read(ref _waited)));

    /// <summary>One begins.</summary>
    /// <returns>When.</returns>
    public long Begin() => time.GetTimestamp();

    /// <summary>One that began then is durable.</summary>
    public void End(long began)
    {
        Interlocked.Add(ref _waited, time.GetTimestamp() - began);
        Interlocked.Increment(ref _appends);
    }
}
