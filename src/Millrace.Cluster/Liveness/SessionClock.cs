using Millrace.Runtime;

namespace Millrace.Cluster.Liveness;

/// <summary>
/// A clock that stands still while this process does: what it could not hear meanwhile, nobody is blamed for. Each session is longer by as much as the
/// controller was late.
/// </summary>
/// <remarks>Threading: counted by its one loop, read by any thread.</remarks>
internal sealed class SessionClock(NodeRuntime runtime)
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    // What has arrived meanwhile is taken in between them.
    private const int TicksBeforeJudging = 2;

    private long _now;
    private long _tickedAt = runtime.Time.GetTimestamp();
    private long _lateAt = long.MinValue;
    private int _onTime;

    /// <summary>How long this process has run, as far as sessions are concerned.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(Volatile.Read(ref _now));

    /// <summary>Whether silences mean anything at the moment: the last ticks came on time.</summary>
    public bool MayJudge => Volatile.Read(ref _onTime) >= TicksBeforeJudging && !IsLate(Volatile.Read(ref _tickedAt));

    /// <summary>When it was last found that the process had stood still; now, if it has just done so. A timestamp.</summary>
    public long LateAt => IsLate(Volatile.Read(ref _tickedAt)) ? runtime.Time.GetTimestamp() : Volatile.Read(ref _lateAt);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Tick, runtime.Time, stopping);
            var (before, at) = (_tickedAt, runtime.Time.GetTimestamp());
            var isLate = IsLate(before);
            Volatile.Write(ref _lateAt, isLate ? at : _lateAt);
            Volatile.Write(ref _onTime, isLate ? 0 : _onTime + 1);
            Volatile.Write(ref _tickedAt, at);
            Volatile.Write(ref _now, _now + (isLate ? Tick * 2 : runtime.Time.GetElapsedTime(before, at)).Ticks);
        }
    }

    private bool IsLate(long since) => runtime.Time.GetElapsedTime(since) > Tick * 2;
}
