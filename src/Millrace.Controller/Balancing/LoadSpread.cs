using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>How the load lies over the nodes that may lead, with the moves that are planned so far as if they were done.</summary>
internal sealed class LoadSpread
{
    private LoadSpread(List<NodeShare> nodes)
    {
        Nodes = nodes;
        MeanBytes = nodes.Count == 0 ? 0 : nodes.Average(node => node.Bytes);
        MeanCount = nodes.Count == 0 ? 0 : nodes.Average(node => node.Count);
    }

    /// <summary>In the order of their ids. Drained and excluded ones are not among them: what they lead belongs where it is, or where it goes anyway.</summary>
    public IReadOnlyList<NodeShare> Nodes { get; }

    /// <summary>Bytes a second. No move changes it.</summary>
    public double MeanBytes { get; }

    /// <summary>Partitions. No move changes it.</summary>
    public double MeanCount { get; }

    /// <param name="image">The cluster.</param>
    /// <param name="loads">Of every node that leads anything, but for excluded ones.</param>
    /// <param name="averages">With those loads.</param>
    /// <param name="excluded">What stays.</param>
    /// <param name="rests">Whether a partition was moved only lately.</param>
    public static LoadSpread Of(
        MetadataImage image,
        IReadOnlyDictionary<NodeId, NodeLoad> loads,
        LoadAverages averages,
        BalanceExclusions excluded,
        Func<(Guid Topic, int Partition), bool> rests)
    {
        var nodes = new SortedDictionary<NodeId, NodeShare>();
        foreach (var node in image.LiveNodes.Where(node => !excluded.Nodes.Contains(node.Id) && !BrokerDuties.IsDrained(image, node.Id)))
        {
            nodes.Add(node.Id, new NodeShare(node, takes: !BrokerDuties.GetsNothingNew(image, node.Id)));
        }

        foreach (var topic in image.Topics.Values)
        {
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader is not { } leader)
                {
                    continue;
                }

                if (nodes.TryGetValue(leader, out var share))
                {
                    var mayMove = partition.PlannedTo is null && !excluded.Topics.Contains(topic.Name) && !rests((topic.Id, partition.Index));
                    share.Add(new LedPartition(topic, partition, averages.Of(topic.Id, partition), mayMove));
                }

                if (partition.Replicas[0] != leader && nodes.TryGetValue(partition.Replicas[0], out var preferred))
                {
                    preferred.PreferredElsewhere++;
                }
            }
        }

        var spread = new LoadSpread([.. nodes.Values]);
        spread.CountProcessors(loads);
        return spread;
    }

    /// <summary>A partition is led by another node from now on, and stays there.</summary>
    public static void Move(LedPartition partition, NodeShare from, NodeShare to)
    {
        from.Remove(partition);
        to.Add(partition with { MayMove = false });
        from.Cpu -= partition.Bytes * from.CpuOfByte;
        to.Cpu += partition.Bytes * to.CpuOfByte;
    }

    /// <summary>What a node has, as a multiple of the mean.</summary>
    public double OfMean(double bytes) => MeanBytes <= 0 ? 1 : bytes / MeanBytes;

    private void CountProcessors(IReadOnlyDictionary<NodeId, NodeLoad> loads)
    {
        // What a byte takes is not known of a node that has next to none: there it is as on the others.
        var bytes = Nodes.Sum(node => node.Bytes);
        var each = bytes < 1 ? 0 : Nodes.Sum(CpuOf) / bytes;
        foreach (var node in Nodes)
        {
            node.Cpu = CpuOf(node);
            node.CpuOfByte = node.Bytes < MeanBytes / 2 ? each : node.Cpu / Math.Max(1, node.Bytes);
        }

        double CpuOf(NodeShare node) => loads.GetValueOrDefault(node.Node.Id)?.Cpu ?? 0;
    }
}
