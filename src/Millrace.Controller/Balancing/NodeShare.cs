using Millrace.Metadata.Image;

namespace Millrace.Controller.Balancing;

/// <summary>What one node has, with the moves that are planned so far as if they were done.</summary>
/// <param name="node">The node.</param>
/// <param name="takes">Whether anything may be moved to it.</param>
internal sealed class NodeShare(NodeImage node, bool takes)
{
    // By topic, of those that it leads.
    private readonly Dictionary<Guid, int> _topics = [];

    public NodeImage Node { get; } = node;

    public bool Takes { get; } = takes;

    /// <summary>How many partitions others lead of which it is the preferred leader: it gets them back, or is not to.</summary>
    public int PreferredElsewhere { get; set; }

    /// <summary>In no order.</summary>
    public List<LedPartition> Partitions { get; } = [];

    public int Count => Partitions.Count;

    /// <summary>Bytes a second of all of them.</summary>
    public double Bytes { get; private set; }

    /// <summary>How far that may lie from what it is but for chance; as a variance.</summary>
    public double Doubt { get; private set; }

    /// <summary>The share of its processors that it uses.</summary>
    public double Cpu { get; set; }

    /// <summary>The share of its processors that a byte a second takes.</summary>
    public double CpuOfByte { get; set; }

    public int CountOf(Guid topic) => _topics.GetValueOrDefault(topic);

    public void Add(LedPartition partition)
    {
        Partitions.Add(partition);
        Bytes += partition.Bytes;
        Doubt += partition.Load.Doubt;
        _topics[partition.Topic.Id] = CountOf(partition.Topic.Id) + 1;
    }

    public void Remove(LedPartition partition)
    {
        // The last takes its place: there may be tens of thousands.
        Partitions[Partitions.IndexOf(partition)] = Partitions[^1];
        Partitions.RemoveAt(Partitions.Count - 1);
        Bytes -= partition.Bytes;
        Doubt -= partition.Load.Doubt;
        _topics[partition.Topic.Id] = CountOf(partition.Topic.Id) - 1;
    }
}
