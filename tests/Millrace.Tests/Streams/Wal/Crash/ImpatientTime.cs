namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A clock that is a second further each time that somebody looks: who gives something a few seconds' time soon finds them gone.</summary>
internal sealed class ImpatientTime : TimeProvider
{
    private long _seconds;

    public override long TimestampFrequency => 1;

    public override long GetTimestamp() => Interlocked.Increment(ref _seconds);
}
