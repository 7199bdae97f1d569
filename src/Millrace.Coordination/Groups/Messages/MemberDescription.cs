namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member as tools show it; metadata is empty unless the group is stable.</summary>
public sealed record MemberDescription(
    string MemberId, string? InstanceId, string ClientId, string ClientHost, ReadOnlyMemory<byte> Metadata, ReadOnlyMemory<byte> Assignment);
