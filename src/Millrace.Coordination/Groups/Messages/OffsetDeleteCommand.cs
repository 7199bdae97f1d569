namespace Millrace.Coordination.Groups.Messages;

/// <summary>A group is to forget offsets.</summary>
public sealed record OffsetDeleteCommand(string GroupId, IReadOnlyList<TopicPartitions> Topics);
