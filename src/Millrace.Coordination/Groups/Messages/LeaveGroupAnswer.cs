namespace Millrace.Coordination.Groups.Messages;

/// <summary>What became of a request to leave.</summary>
/// <param name="Error">Of the request as a whole.</param>
/// <param name="Members">One for each member of the request, in its order; empty if the request failed as a whole.</param>
public sealed record LeaveGroupAnswer(GroupError Error, IReadOnlyList<LeftMember> Members);
