using System.Net;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Runtime.Buffers;

namespace Millrace.Tests.Broker;

/// <summary>The surroundings of a request that comes by no network, and what the handler did to them.</summary>
internal sealed class TestContext : RequestContext, IDisposable
{
    private readonly List<IDisposable> _leases = [];

    public bool NextAllowed { get; private set; }

    public bool Suppressed { get; private set; }

    public bool Disconnected { get; private set; }

    public bool DisconnectedBehind { get; private set; }

    /// <param name="version">Of the request.</param>
    /// <param name="frame">Its bytes, the context's own from now on.</param>
    /// <param name="clientId">Its sender's.</param>
    /// <param name="connection">By which it came; null for one of its own.</param>
    public static TestContext Create(short version, PooledBuffer frame, string? clientId = "test", ClientConnection? connection = null) => new()
    {
        ApiVersion = version,
        CorrelationId = 1,
        ClientId = clientId,
        Access = new AccessCheck(new OpenSteps(), Principal.Anonymous, connection ?? NewConnection(ListenerName.Plaintext)),
        Frame = frame,
    };

    public static ClientConnection NewConnection(ListenerName listener) => new("test", new IPEndPoint(IPAddress.Loopback, 1), listener);

    public override void AllowNext() => NextAllowed = true;

    public override void ReleaseAfterResponse(IDisposable lease) => _leases.Add(lease);

    public override void SuppressResponse() => Suppressed = true;

    public override void Disconnect() => Disconnected = true;

    public override void DisconnectAfterResponse() => DisconnectedBehind = true;

    /// <summary>The response was written.</summary>
    public void Dispose()
    {
        _leases.ForEach(lease => lease.Dispose());
        Frame.Release();
    }
}
