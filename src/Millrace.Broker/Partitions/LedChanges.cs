using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Partitions;

/// <summary>What an image changes of which partitions of a topic are led here, to be done when requests find the new ones.</summary>
internal sealed class LedChanges
{
    /// <summary>Led here no more at their epochs, with what the image has of them now.</summary>
    public List<(Partition Partition, PartitionImage Now)> Former { get; } = [];

    /// <summary>Led here from now on.</summary>
    public List<Partition> Started { get; } = [];

    /// <summary>To be handed over: to others, or to this node again, to lie in another of its WALs.</summary>
    public List<(Partition Partition, NodeId To)> Going { get; } = [];

    /// <summary>Handed over by others, of those that have started.</summary>
    public List<(Partition Partition, int FormerEpoch, NodeId From)> Coming { get; } = [];
}
