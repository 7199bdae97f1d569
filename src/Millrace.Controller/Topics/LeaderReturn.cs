using Millrace.Metadata.Configs;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>A node that has come back, or is drained no more, is to lead again what it is the preferred leader of.</summary>
internal static class LeaderReturn
{
    public static void Plan(PendingEntry entry, NodeId node)
    {
        foreach (var topic in entry.Cluster.Topics.Values)
        {
            var moves = new LeaderMoves(entry, topic);
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader is not { } leader || BrokerDuties.PreferredLeader(entry.Cluster, partition.Replicas) != node)
                {
                    continue;
                }

                // What others lead and hand over to somebody is on its way to whom an operator has chosen, or comes here by the next election; what the
                // node itself was to hand over stays.
                if (leader == node ? partition.Moves : !partition.Moves)
                {
                    moves.Add(partition, node);
                }
            }

            moves.Record();
        }
    }

    /// <summary>A drained node is to lead again.</summary>
    public static Refusal? Undrain(PendingEntry entry, NodeId node)
    {
        if (entry.Cluster.IsLive(node))
        {
            Plan(entry, node);
        }

        // It may be the only one that is not.
        Evacuation.PlanDrained(entry);
        return null;
    }
}
