using Microsoft.AspNetCore.Connections;

namespace Millrace.Server.Composition;

/// <summary>Connections between the nodes of a cluster.</summary>
/// <param name="Listeners">Bind where other nodes come.</param>
/// <param name="Connections">Connect to other nodes, by host and port.</param>
internal sealed record PeerTransport(IConnectionListenerFactory Listeners, IConnectionFactory Connections);
