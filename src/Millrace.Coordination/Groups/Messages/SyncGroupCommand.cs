namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member asks for its assignment; the leader brings everyone's.</summary>
public sealed record SyncGroupCommand
{
    public required string GroupId { get; init; }

    public required MemberIdentity Member { get; init; }

    public required int Generation { get; init; }

    /// <summary>Null if the client does not say.</summary>
    public string? ProtocolType { get; init; }

    /// <summary>Null if the client does not say.</summary>
    public string? ProtocolName { get; init; }

    /// <summary>From the leader, by member id. The bytes are the group's own.</summary>
    public IReadOnlyList<KeyValuePair<string, ReadOnlyMemory<byte>>> Assignments { get; init; } = [];
}
