using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>Where new partitions are placed.</summary>
internal static class PartitionAssignment
{
    /// <summary>Without a live broker nothing can be led, and so nothing is created.</summary>
    public static Refusal? RefuseWithoutBroker(PendingEntry entry) =>
        entry.Cluster.LiveNodes.Any() ? null : new Refusal(ErrorCode.InvalidReplicationFactor, "No broker is registered.");

    /// <summary>
    /// The replicas of a new partition, as many as were asked for: the live nodes in turn, then the nodes that will be registered
    /// next. Replicas are virtual: one whose node has not come yet keeps its place, and clients are not told of it.
    /// </summary>
    public static IReadOnlyList<NodeId> PlaceReplicas(MetadataImage cluster, int partition, int replicationFactor)
    {
        var live = Live(cluster);
        Invariant.Check(live.Length > 0);
        var placed = Math.Min(replicationFactor, live.Length);
        return
        [
            .. Enumerable.Range(0, placed).Select(i => live[(partition + i) % live.Length]),
            .. Enumerable.Range(cluster.NextNodeId, replicationFactor - placed).Select(id => new NodeId(id)),
        ];
    }

    /// <summary>The first replica that is alive; if none is, any live node, since the data lies in shared storage.</summary>
    public static NodeId ChooseLeader(IReadOnlyList<NodeId> replicas, IReadOnlyList<NodeId> live, int partition)
    {
        Invariant.Check(live.Count > 0);
        foreach (var replica in replicas)
        {
            if (live.Contains(replica))
            {
                return replica;
            }
        }

        return live[partition % live.Count];
    }

    public static NodeId[] Live(MetadataImage cluster) => [.. cluster.LiveNodes.Select(node => node.Id)];
}
