namespace Millrace.Coordination.Groups.Messages;

/// <summary>Asks for committed offsets of one topic.</summary>
/// <param name="Topic">By name.</param>
/// <param name="TopicId">Offsets committed under another id are another topic's; zero matches all.</param>
/// <param name="Partitions">In the order of the answer.</param>
public readonly record struct TopicOffsetsQuery(string Topic, Guid TopicId, IReadOnlyList<int> Partitions);
