namespace Millrace.Tests;

/// <summary>A clock that moves when it is told to. Timers are real: it is for what asks the time.</summary>
internal sealed class ManualTime : TimeProvider
{
    private TimeSpan _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(60) + _elapsed;

    public void Advance(TimeSpan step) => _elapsed += step;
}
