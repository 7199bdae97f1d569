namespace Millrace.Coordination.Groups.Messages;

/// <summary>The groups of all shards led here, by partition and then by id.</summary>
public sealed record GroupListAnswer(GroupError Error, IReadOnlyList<GroupListing> Groups);
