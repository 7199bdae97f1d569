using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>What a node leads is planned to the others that live, evenly; where there are none it stays.</summary>
internal static class Evacuation
{
    public static void Plan(PendingEntry entry, NodeId node)
    {
        var others = new EvenSpread([.. ReplicaPlacement.Live(entry.Cluster).Where(other => other != node)]);
        foreach (var topic in entry.Cluster.Topics.Values)
        {
            var moves = new LeaderMoves(entry, topic);
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader == node && !partition.Moves)
                {
                    moves.Add(partition, others.Next(partition.Replicas));
                }
            }

            moves.Record();
        }
    }
}
