namespace Millrace.Tests.Controller;

/// <summary>A clock that a test moves on; timers are real.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _offset;

    public override long GetTimestamp() => base.GetTimestamp() + (Interlocked.Read(ref _offset) * (TimestampFrequency / TimeSpan.TicksPerSecond));

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _offset));

    public void Advance(TimeSpan time) => Interlocked.Add(ref _offset, time.Ticks);
}
