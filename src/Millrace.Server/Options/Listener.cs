using System.Net;
using Millrace.Metadata.Image;

namespace Millrace.Server.Options;

/// <summary>One listener for clients.</summary>
/// <param name="Name">Stands for its network, on every node.</param>
/// <param name="Bind">Where it listens.</param>
/// <param name="Advertised">
/// What clients are told; null if the listener is not advertised, so that who comes by it finds no broker. What it leaves open (every
/// interface, port 0) is the host's name and the port that was bound.
/// </param>
internal sealed record Listener(ListenerName Name, HostPort Bind, HostPort? Advertised)
{
    /// <summary>What clients are told once the listener is bound, or null.</summary>
    public NodeEndpoint? EndpointAt(EndPoint bound) => Advertised is not { } advertised
        ? null
        : new NodeEndpoint(
            Name,
            advertised.IsEveryInterface ? Dns.GetHostName() : advertised.Host,
            advertised.Port == 0 && bound is IPEndPoint { Port: var port } ? port : advertised.Port);

    public override string ToString() => $"{Name}://{Bind}";
}
