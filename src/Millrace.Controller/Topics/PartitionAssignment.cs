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
