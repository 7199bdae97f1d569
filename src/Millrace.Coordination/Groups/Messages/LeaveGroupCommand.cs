namespace Millrace.Coordination.Groups.Messages;

/// <summary>Members leave, or are made to: an administrator names static members by their instance id alone.</summary>
public readonly record struct LeaveGroupCommand(string GroupId, IReadOnlyList<MemberIdentity> Members);
