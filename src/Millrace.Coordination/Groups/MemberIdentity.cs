namespace Millrace.Coordination.Groups;

/// <summary>How a request names a member.</summary>
/// <param name="MemberId">Empty if the member has none yet.</param>
/// <param name="InstanceId">Of a static member (KIP-345), else null.</param>
public readonly record struct MemberIdentity(string MemberId, string? InstanceId);
