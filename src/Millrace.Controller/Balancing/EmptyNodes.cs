namespace Millrace.Controller.Balancing;

/// <summary>
/// A node that leads next to nothing gets its share at once: it has come for that, and what it has not yet cannot suffer. One that was away is left to what
/// it is the preferred leader of.
/// </summary>
internal static class EmptyNodes
{
    public static void Plan(BalanceDraft draft)
    {
        var spread = draft.Spread;
        var fair = (int)spread.MeanCount;
        var left = draft.Rules.MovesToFill;
        foreach (var node in spread.Nodes.Where(node => IsEmpty(node, spread, draft.Rules)).ToArray())
        {
            // So many at least, and more while it lacks load.
            while (left > 0 && node.Count < fair && Donor(draft, node, fair) is var (donor, partition))
            {
                draft.Move(partition, donor, node, BalanceGoal.Fill, share => share.Count);
                left--;
            }
        }
    }

    private static bool IsEmpty(NodeShare node, LoadSpread spread, BalanceRules rules) =>
        node.Takes
        && node.Count < (int)spread.MeanCount
        && node.Count + node.PreferredElsewhere < rules.EmptyBelow * spread.MeanCount;

    /// <summary>Who has the most above its share, and of that what brings the node nearest to its own.</summary>
    private static (NodeShare Donor, LedPartition Partition)? Donor(BalanceDraft draft, NodeShare node, int fair)
    {
        var spread = draft.Spread;
        var wanted = Math.Max(0, spread.MeanBytes - node.Bytes) / (fair - node.Count);
        foreach (var donor in spread.Nodes
                     .Where(donor => donor.Count > fair)
                     .OrderByDescending(donor => spread.OfMean(donor.Bytes) + (donor.Count / spread.MeanCount)))
        {
            if (BalanceDraft.Nearest(donor, node, wanted, bytes => HasRoomFor(draft, node, bytes)) is { } partition)
            {
                return (donor, partition);
            }
        }

        return null;
    }

    private static bool HasRoomFor(BalanceDraft draft, NodeShare node, double bytes) =>
        node.Bytes + bytes <= (draft.Rules.TakesUpTo * draft.Spread.MeanBytes) + 1 && node.Cpu + (bytes * node.CpuOfByte) <= draft.Rules.ContentCpu;
}
