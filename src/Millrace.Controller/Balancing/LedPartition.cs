using Millrace.Metadata.Image;

namespace Millrace.Controller.Balancing;

/// <summary>A partition as the balancer weighs it.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Image">The partition.</param>
/// <param name="Load">Its load.</param>
/// <param name="MayMove">It does not rest, is not on its way, and is not excluded.</param>
internal sealed record LedPartition(TopicImage Topic, PartitionImage Image, MovingLoad Load, bool MayMove)
{
    /// <summary>A second, on average.</summary>
    public double Bytes => Load.Bytes;

    public (Guid Topic, int Partition) Key => (Topic.Id, Image.Index);
}
