namespace Millrace.Controller.Balancing;

/// <summary>Two nodes give each other a partition.</summary>
/// <param name="Given">By the node that has too much.</param>
/// <param name="With">Who takes it.</param>
/// <param name="Taken">What that one gives for it.</param>
internal sealed record LoadExchange(LedPartition Given, NodeShare With, LedPartition Taken)
{
    // For two moves it has to bring more than one does.
    private const double LeastGain = 0.05;

    /// <summary>The exchange after which the higher of the two nodes has the least; null where none is worth it.</summary>
    public static LoadExchange? Find(BalanceDraft draft, NodeShare node)
    {
        var (mean, rules) = (draft.Spread.MeanBytes, draft.Rules);
        var most = Math.Min(node.Bytes - (LeastGain * mean), rules.ExchangesUpTo * mean);
        LoadExchange? best = null;
        var given = node.Takes ? node.Partitions.FindAll(partition => partition.MayMove && partition.Bytes >= LeastGain * mean) : [];
        foreach (var other in draft.Spread.Nodes.Where(other => other.Takes && other != node))
        {
            foreach (var taken in other.Partitions.Where(partition => partition.MayMove))
            {
                foreach (var large in given)
                {
                    var difference = large.Bytes - taken.Bytes;
                    var highest = Math.Max(node.Bytes - difference, other.Bytes + difference);
                    if (difference > 0 && highest <= most && other.Cpu + (difference * other.CpuOfByte) <= rules.ContentCpu)
                    {
                        (most, best) = (highest, new LoadExchange(large, other, taken));
                    }
                }
            }
        }

        return best;
    }
}
