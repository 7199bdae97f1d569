namespace Millrace.Coordination.Groups.Messages;

/// <summary>A group as tools show it.</summary>
public sealed record GroupDescription
{
    /// <summary>GroupNotFound leaves a group that is dead, as older clients are told.</summary>
    public GroupError Error { get; init; }

    public required string GroupId { get; init; }

    public GroupState State { get; init; } = GroupState.Dead;

    public string ProtocolType { get; init; } = "";

    /// <summary>The chosen protocol; empty unless the group is stable.</summary>
    public string ProtocolName { get; init; } = "";

    public IReadOnlyList<MemberDescription> Members { get; init; } = [];
}
