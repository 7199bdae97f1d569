using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Nodes;

/// <summary>The beginning and the end of a WAL, as decisions on a state.</summary>
internal static class WalOperations
{
    /// <summary>Makes a WAL of an incarnation known before its first append: its default, and perhaps one of each other kind.</summary>
    public static void RegisterWal(PendingEntry entry, NodeIncarnation node, WalDescriptor wal, bool isAdditional = false)
    {
        entry.RequireLive(node);
        if (wal.Node != node.Node || wal.Epoch != node.Epoch)
        {
            throw new ArgumentException($"WAL {wal.Id} is described as node {wal.Node}'s, epoch {wal.Epoch}", nameof(wal));
        }

        if (entry.Cluster.Wals.ContainsKey(wal.Id))
        {
            return;
        }

        if (entry.Cluster.WalsOf(node.Node, node.Epoch).FirstOrDefault(
            known => known.Kind == (byte)wal.Kind || (!isAdditional && !known.IsAdditional)) is { } other)
        {
            throw new ArgumentException($"Node {node.Node}, epoch {node.Epoch}, writes WAL {other.Id}: it has one such", nameof(wal));
        }

        entry.Add(new WalImage(wal.Id, (byte)wal.Kind, wal.Location, wal.Node, wal.Epoch, WalState.Open, isAdditional).ToRecord());
    }

    /// <summary>The space of retired WALs was given back, or cannot be found: nobody needs to know of them any more.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="node">A live incarnation; or the one that left, for its own.</param>
    /// <param name="walIds">WALs that are not retired stay.</param>
    public static void ForgetWals(PendingEntry entry, NodeIncarnation node, IReadOnlyCollection<Guid> walIds)
    {
        foreach (var id in walIds)
        {
            if (entry.Cluster.Wals.TryGetValue(id, out var wal) && wal.State == WalState.Retired)
            {
                if (node != WalRetirement.WriterOf(wal))
                {
                    entry.RequireLive(node);
                }

                entry.Add(new WalRemovedRecord { WalId = id });
            }
        }
    }

    /// <summary>The WALs whose space is to be given back.</summary>
    public static IReadOnlyList<WalDescriptor> Retired(ClusterState state) =>
        [.. state.Cluster.Wals.Values.Where(wal => wal.State == WalState.Retired).OrderBy(wal => wal.Epoch).Select(Describe)];

    public static WalDescriptor Describe(WalImage wal) => new(wal.Id, (WalKind)wal.Kind, wal.Location, wal.Node, wal.Epoch);
}
