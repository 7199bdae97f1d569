namespace Millrace.Controller.Balancing;

/// <summary>A node that leads next to nothing gets its share at once: it has come for that, and what it has not yet cannot suffer.</summary>
internal static class EmptyNodes
{
    public static void Plan(BalanceDraft draft)
    {
        var spread = draft.Spread;
        var fair = (int)spread.MeanCount;
        var left = draft.Rules.MovesToFill;
        foreach (var node in spread.Nodes.Where(node => node.Takes && node.Count < fair && node.Count < draft.Rules.EmptyBelow * spread.MeanCount).ToArray())
        {
            // So many at least, and more while it lacks load.
            while (left > 0 && node.Count < fair && Donor(draft, node, fair) is var (donor, partition))
            {
                draft.Move(partition, donor, node, BalanceGoal.Fill, share => share.Count);
                left--;
            }
        }
    }

    /// <summary>Who has the most above its share, and of that what brings the node nearest to its own.</summary>
    private static (NodeShare Donor, LedPartition Partition)? Donor(BalanceDraft draft, NodeShare node, int fair)
    {
        var spread = draft.Spread;
        var wanted = Math.Max(0, spread.MeanBytes - node.Bytes) / (fair - node.Count);
        foreach (var donor in spread.Nodes
                     .Where(donor => donor.Gives && donor.Count > fair)
                     .OrderByDescending(donor => spread.OfMean(donor.Bytes) + (donor.Count / spread.MeanCount)))
        {
            if (BalanceDraft.Nearest(donor, node, wanted, bytes => node.Bytes + bytes <= draft.Rules.EndAt * spread.MeanBytes + 1) is { } partition)
            {
                return (donor, partition);
            }
        }

        return null;
    }
}
