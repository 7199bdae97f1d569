namespace Millrace.Controller.Balancing;

/// <summary>
/// A node that leads far more partitions than the others gives of those that are idle to whoever leads the fewest: each costs memory, and a failover more to
/// do, though it moves nothing.
/// </summary>
internal static class HighCounts
{
    public static bool IsSo(NodeShare node, LoadSpread spread, BalanceRules rules) =>
        node.Count > rules.BeginAboveCount * spread.MeanCount && node.Count >= spread.MeanCount + 2;

    public static void Plan(BalanceDraft draft)
    {
        foreach (var node in draft.Due(BalanceGoal.Count, node => node.Count))
        {
            while (draft.HasRoom && node.Count > draft.Rules.EndAt * draft.Spread.MeanCount && Next(draft, node) is var (to, partition))
            {
                draft.Move(partition, node, to, BalanceGoal.Count, share => share.Count);
            }
        }
    }

    private static (NodeShare To, LedPartition Partition)? Next(BalanceDraft draft, NodeShare node)
    {
        // What is moved for its number must not make a load that has to be moved in its turn.
        var most = Math.Max(draft.Rules.TakesUpTo * draft.Spread.MeanBytes, draft.Spread.MeanBytes + (draft.Rules.BeginBytes / 2.0));
        foreach (var to in draft.Spread.Nodes.Where(other => other.Takes && other.Count + 1 < node.Count).OrderBy(other => other.Count))
        {
            var found = BalanceDraft.Nearest(node, to, wanted: 0, bytes =>
                to.Bytes + bytes <= most && to.Cpu + (bytes * to.CpuOfByte) <= draft.Rules.ContentCpu);
            if (found is not null)
            {
                return (to, found);
            }
        }

        return null;
    }
}
