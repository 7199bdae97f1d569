namespace Millrace.Coordination.Groups;

/// <summary>Committed offsets of one topic.</summary>
public readonly record struct TopicOffsets(string Topic, IReadOnlyList<PartitionOffset> Partitions);
