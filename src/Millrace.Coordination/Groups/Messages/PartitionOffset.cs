namespace Millrace.Coordination.Groups.Messages;

/// <summary>A partition's committed offset; -1, without metadata, if there is none.</summary>
public readonly record struct PartitionOffset(int Partition, long Offset, int LeaderEpoch, string Metadata)
{
    public static PartitionOffset None(int partition) => new(partition, -1, -1, "");
}
