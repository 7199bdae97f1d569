using Millrace.Network.Requests;

namespace Millrace.Tests.Broker.Apis.Groups;

/// <summary>The surroundings of a request that a test hands to its handler.</summary>
internal sealed class DirectContext : RequestContext
{
    public override void AllowNext()
    {
    }

    public override void ReleaseAfterResponse(IDisposable lease) => throw new InvalidOperationException("Group answers hold no memory of others");

    public override void SuppressResponse() => throw new InvalidOperationException("Group requests are answered");

    public override void Disconnect() => throw new InvalidOperationException("Group requests are answered");

    public override void DisconnectAfterResponse() => throw new InvalidOperationException("Group requests close no connection");
}
