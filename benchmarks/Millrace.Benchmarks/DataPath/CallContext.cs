using Millrace.Network.Requests;

namespace Millrace.Benchmarks.DataPath;

/// <summary>The surroundings of a request that comes by no connection.</summary>
internal sealed class CallContext : RequestContext
{
    private IDisposable? _lease;

    public override void AllowNext()
    {
    }

    public override void ReleaseAfterResponse(IDisposable lease) => _lease = lease;

    public override void SuppressResponse()
    {
    }

    public override void Disconnect() => throw new InvalidOperationException("The request was not in order");

    public override void DisconnectAfterResponse() => throw new InvalidOperationException("The request was refused");

    public void Release() => _lease?.Dispose();
}
