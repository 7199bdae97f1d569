namespace Millrace.Coordination.Groups.Messages;

/// <summary>A member, or a client without membership, stores offsets of partitions that exist.</summary>
public sealed record OffsetCommitCommand
{
    public required string GroupId { get; init; }

    public required MemberIdentity Member { get; init; }

    /// <summary>-1 without membership.</summary>
    public required int Generation { get; init; }

    /// <summary>How long to keep the offsets, as old clients ask; null for the broker's retention.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>The client knows that a group may not exist; else it hears of an illegal generation.</summary>
    public bool KnowsGroupNotFound { get; init; }

    public required IReadOnlyList<OffsetToCommit> Offsets { get; init; }
}
