namespace Millrace.Controller.Balancing;

/// <summary>A node whose processors have too much to do is relieved, whatever the others have.</summary>
internal static class BusyProcessors
{
    // What takes less of a node is not worth a move.
    private const double LeastShare = 0.005;

    // Where all have much to do, the other one has at least so much less.
    private const double LeastDifference = 0.1;

    public static bool IsSo(NodeShare node, BalanceRules rules) => node.Cpu > rules.HighestCpu;

    public static void Plan(BalanceDraft draft)
    {
        foreach (var node in draft.Due(BalanceGoal.Overload, node => node.Cpu))
        {
            while (draft.HasRoom && node.Cpu > draft.Rules.ContentCpu && Next(draft, node) is var (to, partition))
            {
                draft.Move(partition, node, to, BalanceGoal.Overload, share => share.Cpu);
            }
        }
    }

    private static (NodeShare To, LedPartition Partition)? Next(BalanceDraft draft, NodeShare node)
    {
        if (node.CpuOfByte <= 0 || draft.Spread.Nodes.Where(other => other.Takes && other != node).MinBy(other => other.Cpu) is not { } to)
        {
            return null;
        }

        var wanted = (node.Cpu - draft.Rules.ContentCpu) / node.CpuOfByte;
        var found = BalanceDraft.Nearest(node, to, wanted, bytes =>
        {
            var after = to.Cpu + (bytes * to.CpuOfByte);
            return bytes * node.CpuOfByte >= LeastShare
                && (after <= draft.Rules.ContentCpu || after <= node.Cpu - (bytes * node.CpuOfByte) - LeastDifference);
        });
        return found is null ? null : (to, found);
    }
}
