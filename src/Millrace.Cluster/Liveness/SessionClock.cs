using Millrace.Runtime;

namespace Millrace.Cluster.Liveness;

/// <summary>
/// A clock that stands still while this process does: what it could not hear meanwhile, nobody is blamed for. Each session is longer by as much as the
/// controller was late.
/// </summary>
/// <param name="runtime">Whose time counts.</param>
/// <param name="standstill">Nobody suspects a controller sooner.</param>
/// <remarks>Threading: counted by its one loop, read by any thread.</remarks>
internal sealed class SessionClock(NodeRuntime runtime, TimeSpan standstill)
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    // What has arrived meanwhile is taken in between them.
    private const int TicksBeforeJudging = 2;

    private long _now;
    private long _tickedAt = runtime.Time.GetTimestamp();
    private long _stoodStillUntil = long.MinValue;
    private int _onTime;

    /// <summary>How long this process has run, as far as sessions are concerned.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(Volatile.Read(ref _now));

    /// <summary>Whether silences mean anything at the moment: the last ticks came on time.</summary>
    public bool MayJudge => Volatile.Read(ref _onTime) >= TicksBeforeJudging && !IsLate(Volatile.Read(ref _tickedAt));

    /// <summary>
    /// When the process last went on after it had stood still for so long that others may have made another one controller; now, if it has just done so. A
    /// timestamp.
    /// </summary>
    public long StoodStillUntil =>
        runtime.Time.GetElapsedTime(Volatile.Read(ref _tickedAt)) >= standstill ? runtime.Time.GetTimestamp() : Volatile.Read(ref _stoodStillUntil);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Tick, runtime.Time, stopping);
            var (before, at) = (_tickedAt, runtime.Time.GetTimestamp());
            var isLate = IsLate(before);
            Volatile.Write(ref _stoodStillUntil, StoodStillUntil);
            Volatile.Write(ref _onTime, isLate ? 0 : _onTime + 1);
            Volatile.Write(ref _tickedAt, at);
            Volatile.Write(ref _now, _now + (isLate ? Tick * 2 : runtime.Time.GetElapsedTime(before, at)).Ticks);
        }
    }

    private bool IsLate(long since) => runtime.Time.GetElapsedTime(since) > Tick * 2;
}
