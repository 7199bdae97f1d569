namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member as its leader gets to know it.</summary>
public readonly record struct JoinedMember(string MemberId, string? InstanceId, ReadOnlyMemory<byte> Metadata);
