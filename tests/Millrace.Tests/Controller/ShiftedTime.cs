namespace Millrace.Tests.Controller;

/// <summary>The machine's clock, which a test may move on: for loops that compare it with what their timers have waited.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _offset;

    public override long GetTimestamp() => base.GetTimestamp() + (Interlocked.Read(ref _offset) * (TimestampFrequency / TimeSpan.TicksPerSecond));

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _offset));

    public void Advance(TimeSpan time) => Interlocked.Add(ref _offset, time.Ticks);
}
