namespace Millrace.Simulation.Kernel;

/// <summary>Virtual time as one lane sees it; its timers fire on that lane. Wall clocks of lanes may differ.</summary>
public sealed class SimulationTimeProvider(SimulationKernel kernel, Lane lane) : TimeProvider
{
    /// <summary>How far this lane's wall clock is off. Its monotonic clock is not affected.</summary>
    public TimeSpan WallClockError { get; set; }

    /// <summary>How fast this lane's clocks go: their quartz differs from others by a few percent at worst. Set before anything asks them.</summary>
    public double Rate { get; set; } = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => Rate == 1 ? kernel.Now.Ticks : (long)(kernel.Now.Ticks * Rate);

    public override DateTimeOffset GetUtcNow() => SimulationKernel.Epoch + kernel.Now + WallClockError;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulationTimer(kernel, lane, callback, state, Rate);
        timer.Change(dueTime, period);
        return timer;
    }
}
