using Millrace.Metadata.Configs;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>Lists of replicas that somebody chose by hand, one for each of some partitions.</summary>
internal static class ManualAssignment
{
    /// <summary>What is wrong with the lists, or null.</summary>
    /// <param name="entry">Knows the registered nodes.</param>
    /// <param name="chosen">Partitions and their brokers.</param>
    /// <param name="alsoKnown">Nodes that may be named though they are not registered.</param>
    /// <param name="present">The replicas that there are: those are no new ones.</param>
    public static Refusal? Check(
        PendingEntry entry, IReadOnlyList<(int Partition, IReadOnlyList<int> Brokers)> chosen, IReadOnlyList<NodeId> alsoKnown,
        IReadOnlyList<NodeId>? present = null) =>
        chosen
            .Select(assignment => Check(entry, assignment.Partition, assignment.Brokers, alsoKnown, present ?? []))
            .FirstOrDefault(refusal => refusal is not null);

    public static IReadOnlyList<NodeId>[] Replicas(IReadOnlyList<(int Partition, IReadOnlyList<int> Brokers)> chosen) =>
        [.. chosen.Select(assignment => (IReadOnlyList<NodeId>)[.. assignment.Brokers.Select(broker => new NodeId(broker))])];

    private static Refusal? Check(
        PendingEntry entry, int partition, IReadOnlyList<int> brokers, IReadOnlyList<NodeId> alsoKnown, IReadOnlyList<NodeId> present)
    {
        if (brokers.Count == 0)
        {
            return new Refusal(ErrorCode.InvalidReplicaAssignment, "The manual partition assignment includes an empty replica list.");
        }

        if (brokers.Distinct().Count() != brokers.Count)
        {
            return new Refusal(
                ErrorCode.InvalidReplicaAssignment, $"The manual partition assignment includes a broker more than once for partition {partition}.");
        }

        foreach (var broker in brokers)
        {
            if (!entry.Cluster.Nodes.ContainsKey(new NodeId(broker)) && !alsoKnown.Contains(new NodeId(broker)))
            {
                return new Refusal(
                    ErrorCode.InvalidReplicaAssignment, $"The manual partition assignment includes broker {broker}, but no such broker is registered.");
            }

            if (BrokerDuties.GetsNothingNew(entry.Cluster, new NodeId(broker)) && !present.Contains(new NodeId(broker)))
            {
                return new Refusal(
                    ErrorCode.InvalidReplicaAssignment,
                    $"The manual partition assignment includes broker {broker}, which is cordoned or drained: it gets no partitions.");
            }
        }

        return null;
    }
}
