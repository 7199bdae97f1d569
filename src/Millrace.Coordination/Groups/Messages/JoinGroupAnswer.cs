namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member's place in a generation, or why it has none.</summary>
public sealed record JoinGroupAnswer
{
    public GroupError Error { get; init; }

    public string MemberId { get; init; } = "";

    public int Generation { get; init; } = -1;

    public string? ProtocolType { get; init; }

    public string? ProtocolName { get; init; }

    public string Leader { get; init; } = "";

    public bool SkipAssignment { get; init; }

    /// <summary>For the leader alone: whom it assigns to.</summary>
    public IReadOnlyList<JoinedMember> Members { get; init; } = [];

    public static JoinGroupAnswer Refused(GroupError error, string memberId = "") => new() { Error = error, MemberId = memberId };
}
