namespace Millrace.Coordination.Groups.Messages;

/// <summary>Some partitions of a topic.</summary>
public readonly record struct TopicPartitions(string Topic, IReadOnlyList<int> Partitions);
