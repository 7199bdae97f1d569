namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member says that it lives.</summary>
public readonly record struct HeartbeatCommand(string GroupId, MemberIdentity Member, int Generation);
