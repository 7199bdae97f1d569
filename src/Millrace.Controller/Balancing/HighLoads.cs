namespace Millrace.Controller.Balancing;

/// <summary>A node that moves far more bytes than the others gives of them to whoever moves the fewest.</summary>
internal static class HighLoads
{
    public static bool IsSo(NodeShare node, LoadSpread spread, BalanceRules rules) =>
        node.Bytes > rules.BeginAbove * spread.MeanBytes
        && node.Bytes - spread.MeanBytes >= Math.Max(rules.BeginBytes, rules.Doubts * Math.Sqrt(Math.Max(0, node.Doubt)));

    public static void Plan(BalanceDraft draft)
    {
        foreach (var node in draft.Due(BalanceGoal.Load, node => node.Bytes))
        {
            while (draft.HasRoom && node.Bytes > draft.Rules.EndAt * draft.Spread.MeanBytes && Next(draft, node) is var (to, partition))
            {
                Move(draft, partition, node, to);
            }

            // What is left are large ones, for which nobody has room: one of them may go for a smaller one.
            while (draft.HasRoomFor(2) && IsSo(node, draft.Spread, draft.Rules) && LoadExchange.Find(draft, node) is { } exchange)
            {
                Move(draft, exchange.Given, node, exchange.With);
                Move(draft, exchange.Taken, exchange.With, node);
            }
        }
    }

    private static void Move(BalanceDraft draft, LedPartition partition, NodeShare from, NodeShare to) =>
        draft.Move(partition, from, to, BalanceGoal.Load, share => draft.Spread.OfMean(share.Bytes));

    private static (NodeShare To, LedPartition Partition)? Next(BalanceDraft draft, NodeShare node)
    {
        var (spread, rules) = (draft.Spread, draft.Rules);
        foreach (var to in spread.Nodes.Where(other => other.Takes && other != node).OrderBy(other => other.Bytes))
        {
            // Half of the difference makes both the same; what is more than the node has too much would be missed there.
            var wanted = Math.Min((node.Bytes - to.Bytes) / 2, node.Bytes - spread.MeanBytes);
            var found = BalanceDraft.Nearest(node, to, wanted, bytes =>
                bytes >= rules.LeastGain * spread.MeanBytes
                && to.Bytes + bytes <= rules.TakesUpTo * spread.MeanBytes
                && to.Cpu + (bytes * to.CpuOfByte) <= rules.ContentCpu);
            if (found is not null)
            {
                return (to, found);
            }
        }

        return null;
    }
}
