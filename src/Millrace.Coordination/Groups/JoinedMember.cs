namespace Millrace.Coordination.Groups;

/// <summary>A member as its leader gets to know it.</summary>
public readonly record struct JoinedMember(string MemberId, string? InstanceId, ReadOnlyMemory<byte> Metadata);
