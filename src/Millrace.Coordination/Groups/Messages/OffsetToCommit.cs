namespace Millrace.Coordination.Groups.Messages;

/// <summary>One partition's offset in a commit.</summary>
/// <param name="Topic">By name, which is how offsets are stored.</param>
/// <param name="TopicId">Of the topic that has the name now; zero if not known.</param>
/// <param name="Partition">Its index.</param>
/// <param name="Offset">The next offset to consume.</param>
/// <param name="LeaderEpoch">Of the last record consumed; -1 if the client does not say.</param>
/// <param name="Metadata">The client's own words.</param>
public readonly record struct OffsetToCommit(string Topic, Guid TopicId, int Partition, long Offset, int LeaderEpoch, string Metadata);
