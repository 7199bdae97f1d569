namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member wants to be in the group's next generation.</summary>
public sealed record JoinGroupCommand
{
    public required string GroupId { get; init; }

    public required MemberIdentity Member { get; init; }

    public required string ClientId { get; init; }

    public required string ClientHost { get; init; }

    public required TimeSpan SessionTimeout { get; init; }

    /// <summary>How long the member may take to join again in a rebalance.</summary>
    public required TimeSpan RebalanceTimeout { get; init; }

    public required string ProtocolType { get; init; }

    /// <summary>In the member's order of preference.</summary>
    public required IReadOnlyList<GroupProtocol> Protocols { get; init; }

    /// <summary>The client can take a member id and join again with it (KIP-394).</summary>
    public bool KnowsMemberIdRequired { get; init; }

    /// <summary>The client can be leader without making an assignment (KIP-814).</summary>
    public bool KnowsSkipAssignment { get; init; }
}
