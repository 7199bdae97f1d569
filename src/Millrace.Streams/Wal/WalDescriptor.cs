using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal;

/// <summary>Names one WAL of one node incarnation; kept in the metadata so that a missing or replaced one is noticed.</summary>
/// <param name="Id">Unique for ever; written into the WAL itself.</param>
/// <param name="Kind">Where it lies.</param>
/// <param name="Location">For people and for finding it again: a path, or a key prefix. No credentials.</param>
/// <param name="Node">The node that writes it.</param>
/// <param name="Epoch">The incarnation that writes it.</param>
public sealed record WalDescriptor(Guid Id, WalKind Kind, string Location, NodeId Node, NodeEpoch Epoch);
