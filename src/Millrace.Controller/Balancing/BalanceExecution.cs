using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>Moves become plans of the partitions (ADR 10), as an operator's reassignment does: whoever is to lead one becomes its preferred leader.</summary>
internal static class BalanceExecution
{
    /// <summary>Begins those that are still as they were when they were planned.</summary>
    /// <returns>Which.</returns>
    public static IReadOnlyList<BalanceMove> Begin(PendingEntry entry, IReadOnlyList<BalanceMove> moves)
    {
        var begun = moves.Where(move => IsStillMeant(entry.Cluster, move)).ToArray();
        foreach (var moved in begun.GroupBy(move => move.Topic))
        {
            _ = entry.Cluster.TryGetTopic(moved.Key, out var topic);
            var partitions = moved.Select(move => (topic!.Partitions[move.Partition], move.To)).OrderBy(move => move.Item1.Index).ToArray();
            entry.Add(new PartitionReplicasRecord
            {
                TopicId = moved.Key,
                Assignments =
                [
                    .. partitions.Select(move => new PartitionReplicasRecord.Assignment
                    {
                        Partition = move.Item1.Index, Replicas = [.. Preferring(entry.Cluster, move.To, move.Item1).Select(replica => replica.Value)],
                    }),
                ],
            });
            var plans = new LeaderMoves(entry, topic!);
            foreach (var (partition, to) in partitions)
            {
                plans.Add(partition, to);
            }

            plans.Record();
        }

        return begun;
    }

    private static bool IsStillMeant(MetadataImage image, BalanceMove move) =>
        image.FindPartition(move.Topic, move.Partition) is { PlannedTo: null } partition
        && partition.Leader == move.From
        && image.IsLive(move.To)
        && !BrokerDuties.GetsNothingNew(image, move.To);

    /// <summary>
    /// As many replicas as before: a node that comes to them takes the place of one whose rack has another then, so that whoever reads in a rack goes on doing
    /// so: a leader in rack a with a replica in b that is to go to another node in b leaves one in each. Where several may go, or else all, the former leader
    /// does, or the last.
    /// </summary>
    private static IEnumerable<NodeId> Preferring(MetadataImage image, NodeId next, PartitionImage partition)
    {
        var others = partition.Replicas.Where(replica => replica != next).ToList();
        if (others.Count == partition.Replicas.Length)
        {
            var beside = others.FindAll(other => RackOf(other) == RackOf(next)
                || others.Exists(another => another != other && Serves(another) && RackOf(another) == RackOf(other)));
            var replaced = beside.Count > 0 ? beside : others;
            others.Remove(partition.Leader is { } leader && replaced.Contains(leader) ? leader : replaced[^1]);
        }

        return [next, .. others];

        bool Serves(NodeId node) => image.IsLive(node) && !BrokerDuties.IsDrained(image, node);

        // Who has none is in the same as all that have none.
        string? RackOf(NodeId node) => image.Nodes.GetValueOrDefault(node)?.Rack;
    }
}
