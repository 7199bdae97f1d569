namespace Millrace.Coordination.Groups.Records;

/// <summary>What the log keeps of a classic group.</summary>
internal sealed record GroupImage
{
    /// <summary>Empty if the group has none.</summary>
    public string ProtocolType { get; init; } = "";

    public int Generation { get; init; }

    public string? Protocol { get; init; }

    public string? Leader { get; init; }

    /// <summary>When the group came to its state, in milliseconds since the Unix epoch; -1 if not known.</summary>
    public long StateTimestamp { get; init; } = -1;

    public IReadOnlyList<MemberImage> Members { get; init; } = [];

    /// <summary>More than the record takes in the log, by little: three bytes a character at most, and lengths.</summary>
    public long SizeBound => 256 + 3L * (ProtocolType.Length + (Protocol?.Length ?? 0) + (Leader?.Length ?? 0)) + Members.Sum(member => member.SizeBound);
}
