using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>What a node leads, or is to lead, is planned to the others that may lead, evenly; where there are none it stays.</summary>
internal static class Evacuation
{
    public static void Plan(PendingEntry entry, NodeId node)
    {
        var others = new EvenSpread(ReplicaPlacement.Candidates(entry.Cluster, except: node));
        foreach (var topic in entry.Cluster.Topics.Values)
        {
            var moves = new LeaderMoves(entry, topic);
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader == node ? !partition.Moves : partition is { Leader: not null, Moves: true } && partition.PlannedTo == node)
                {
                    moves.Add(partition, others.Next(partition.Replicas));
                }
            }

            moves.Record();
        }
    }

    /// <summary>A node is drained from now on.</summary>
    public static Refusal? Drain(PendingEntry entry, NodeId node)
    {
        if (!entry.Cluster.IsLive(node))
        {
            // It leads nothing; but when it comes back, somebody must be there who takes what is made.
            return entry.Cluster.Nodes.Keys.All(known => BrokerDuties.ConfiguredOf(entry.Cluster, known) == BrokerDuty.Drained)
                ? new Refusal(ErrorCode.InvalidRequest, $"Broker {node} cannot be drained: every other broker is.")
                : null;
        }

        if (!HasUndrained(entry.Cluster))
        {
            return new Refusal(ErrorCode.InvalidRequest, $"Broker {node} cannot be drained: no other broker lives that could lead what it leads.");
        }

        Plan(entry, node);
        return null;
    }

    /// <summary>Of those nodes that are to lead nothing, and have come to lead something since nobody else could.</summary>
    public static void PlanDrained(PendingEntry entry)
    {
        if (!HasUndrained(entry.Cluster))
        {
            return;
        }

        foreach (var node in entry.Cluster.LiveNodes.Where(node => BrokerDuties.IsDrained(entry.Cluster, node.Id)).ToArray())
        {
            Plan(entry, node.Id);
        }
    }

    private static bool HasUndrained(MetadataImage cluster) => cluster.LiveNodes.Any(node => !BrokerDuties.IsDrained(cluster, node.Id));
}
