using Millrace.Metadata.Image;

namespace Millrace.Server.Options;

/// <summary>Where a node listens, and what it tells those who come.</summary>
/// <param name="Clients">In the order in which they were written; at least one, and one that is advertised.</param>
/// <param name="InterBroker">The listener by which other brokers reach this one: one of those that are advertised.</param>
/// <param name="Internal">Where other nodes connect, and no client.</param>
/// <param name="NotOpened">Listeners of Kafka's controllers, as they were written: there is no quorum here that would need them.</param>
internal sealed record ListenerOptions(IReadOnlyList<Listener> Clients, ListenerName InterBroker, Listener Internal, IReadOnlyList<string> NotOpened);
