using Millrace.Metadata.Image;

namespace Millrace.Controller.Balancing;

/// <summary>What one node has, with the moves that are planned so far as if they were done.</summary>
/// <param name="node">The node.</param>
/// <param name="gives">Whether anything may be moved away from it.</param>
/// <param name="takes">Whether anything may be moved to it.</param>
internal sealed class NodeShare(NodeImage node, bool gives, bool takes)
{
    // By topic, of those that it leads.
    private readonly Dictionary<Guid, int> _topics = [];

    public NodeImage Node { get; } = node;

    public bool Gives { get; } = gives;

    public bool Takes { get; } = takes;

    /// <summary>In no order.</summary>
    public List<LedPartition> Partitions { get; } = [];

    public int Count => Partitions.Count;

    /// <summary>Bytes a second of all of them.</summary>
    public double Bytes { get; private set; }

    /// <summary>The share of its processors that it uses.</summary>
    public double Cpu { get; set; }

    /// <summary>The share of its processors that a byte a second takes.</summary>
    public double CpuOfByte { get; set; }

    public int CountOf(Guid topic) => _topics.GetValueOrDefault(topic);

    public void Add(LedPartition partition)
    {
        Partitions.Add(partition);
        Bytes += partition.Bytes;
        _topics[partition.Topic.Id] = CountOf(partition.Topic.Id) + 1;
    }

    public void Remove(LedPartition partition)
    {
        Partitions.Remove(partition);
        Bytes -= partition.Bytes;
        _topics[partition.Topic.Id] = CountOf(partition.Topic.Id) - 1;
    }
}
