using Millrace.Metadata.Channel;

namespace Millrace.Tests.Broker;

/// <summary>The lease of a broker that nobody takes anything from.</summary>
internal sealed class LastingLease : IReadLease
{
    public bool IsHeld => true;

    public ValueTask<bool> WaitAsync(TimeSpan patience, CancellationToken token) => ValueTask.FromResult(true);
}
