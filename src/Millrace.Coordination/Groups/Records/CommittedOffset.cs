namespace Millrace.Coordination.Groups.Records;

/// <summary>A committed offset as it is stored.</summary>
internal sealed record CommittedOffset
{
    public required long Offset { get; init; }

    /// <summary>-1 if not known.</summary>
    public int LeaderEpoch { get; init; } = -1;

    public string Metadata { get; init; } = "";

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public required long CommitTimestamp { get; init; }

    /// <summary>When it expires, if the client said so; else -1, and the broker's retention counts.</summary>
    public long ExpireTimestamp { get; init; } = -1;

    /// <summary>The topic's id at the commit; zero if not known.</summary>
    public Guid TopicId { get; init; }

    /// <summary>Whether it was committed for the topic that has this id; an id that is not known matches all.</summary>
    public bool IsOf(Guid topicId) => topicId == Guid.Empty || TopicId == Guid.Empty || topicId == TopicId;
}
