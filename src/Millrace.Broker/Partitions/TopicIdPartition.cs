namespace Millrace.Broker.Partitions;

/// <summary>Names a partition for good: the id tells a topic from a later one of the same name.</summary>
internal readonly record struct TopicIdPartition(Guid TopicId, string Topic, int Partition)
{
    public override string ToString() => $"{Topic}-{Partition}";
}
