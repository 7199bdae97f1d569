namespace Millrace.Coordination.Groups.Messages;

/// <summary>What became of one member's leave.</summary>
public readonly record struct LeftMember(MemberIdentity Member, GroupError Error);
