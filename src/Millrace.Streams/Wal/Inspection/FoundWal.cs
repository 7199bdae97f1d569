using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Inspection;

/// <summary>A WAL that a device holds, or held: whether anything of it is still needed, the cluster's metadata knows.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Half">Where it lies.</param>
/// <param name="Node">Who wrote it.</param>
/// <param name="Epoch">As which incarnation.</param>
/// <param name="IsSealed">It was taken over, and nothing is written to it any more.</param>
public sealed record FoundWal(Guid Id, int Half, NodeId Node, NodeEpoch Epoch, bool IsSealed);
