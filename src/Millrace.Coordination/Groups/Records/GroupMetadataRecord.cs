namespace Millrace.Coordination.Groups.Records;

/// <summary>A classic group's generation with its members and assignments, or the group's removal.</summary>
internal sealed record GroupMetadataRecord(string GroupId, GroupImage? Value) : GroupRecord(GroupId);
