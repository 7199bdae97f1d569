using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>Deals partitions out to nodes: no node gets more than one above any other, and among those with the fewest a replica is preferred.</summary>
/// <param name="nodes">In the order in which they are dealt to; may be none.</param>
internal sealed class EvenSpread(IReadOnlyList<NodeId> nodes)
{
    private readonly int[] _dealt = new int[nodes.Count];

    /// <summary>Whose the next partition is; null where there is nobody.</summary>
    /// <param name="replicas">Of the partition, the preferred first.</param>
    public NodeId? Next(IReadOnlyList<NodeId> replicas)
    {
        var best = -1;
        var bestRank = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            var rank = RankOf(nodes[i], replicas);
            if (best < 0 || _dealt[i] < _dealt[best] || (_dealt[i] == _dealt[best] && rank < bestRank))
            {
                (best, bestRank) = (i, rank);
            }
        }

        if (best < 0)
        {
            return null;
        }

        _dealt[best]++;
        return nodes[best];
    }

    private static int RankOf(NodeId node, IReadOnlyList<NodeId> replicas)
    {
        for (var i = 0; i < replicas.Count; i++)
        {
            if (replicas[i] == node)
            {
                return i;
            }
        }

        return replicas.Count;
    }
}
