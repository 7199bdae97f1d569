using Millrace.Metadata.Image;

namespace Millrace.Server.Options;

/// <summary>Where a node listens for Kafka clients, and what it tells them.</summary>
/// <param name="Clients">In the order in which they were written; at least one, and one that is advertised.</param>
/// <param name="InterBroker">The listener by which other brokers reach this one: one of those that are advertised.</param>
/// <param name="NotOpened">Listeners of Kafka's controllers, as they were written: there is no quorum here that would need them.</param>
internal sealed record ListenerOptions(IReadOnlyList<Listener> Clients, ListenerName InterBroker, IReadOnlyList<string> NotOpened);
