using Millrace.Metadata.Image;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Controller.State;

/// <summary>Who can have the WALs of a cluster.</summary>
internal static class WalImageReach
{
    /// <summary>Whether a node that is not its writer can fence a WAL and read it.</summary>
    public static bool IsReachedBy(this WalImage wal, NodeImage node) => ((WalKind)wal.Kind).IsReachedBy(wal.Location, node.Devices);

    /// <summary>Whether nobody who lives is known to be able to: its writer has to come again, or whoever finds it.</summary>
    public static bool IsOrphanIn(this WalImage wal, MetadataImage cluster) =>
        !cluster.IsLive(wal.Node) && !cluster.LiveNodes.Any(node => wal.IsReachedBy(node));
}
