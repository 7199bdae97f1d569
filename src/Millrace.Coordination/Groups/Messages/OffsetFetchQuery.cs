namespace Millrace.Coordination.Groups.Messages;

/// <summary>Asks for a group's committed offsets.</summary>
/// <param name="GroupId">May be empty: clients without membership have used that.</param>
/// <param name="Topics">What to look up; null for all there is.</param>
public sealed record OffsetFetchQuery(string GroupId, IReadOnlyList<TopicOffsetsQuery>? Topics);
