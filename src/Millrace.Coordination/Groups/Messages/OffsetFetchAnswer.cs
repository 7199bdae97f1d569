namespace Millrace.Coordination.Groups.Messages;

/// <summary>A group's committed offsets.</summary>
/// <param name="Error">Of the query as a whole.</param>
/// <param name="Topics">In the query's order, or by name if it asked for all.</param>
public sealed record OffsetFetchAnswer(GroupError Error, IReadOnlyList<TopicOffsets> Topics);
