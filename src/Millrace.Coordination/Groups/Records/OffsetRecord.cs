namespace Millrace.Coordination.Groups.Records;

/// <summary>A committed offset, or its removal.</summary>
internal sealed record OffsetRecord(string GroupId, string Topic, int Partition, CommittedOffset? Value) : GroupRecord(GroupId);
