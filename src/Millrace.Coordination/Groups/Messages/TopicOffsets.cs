namespace Millrace.Coordination.Groups.Messages;

/// <summary>Committed offsets of one topic.</summary>
public readonly record struct TopicOffsets(string Topic, IReadOnlyList<PartitionOffset> Partitions);
