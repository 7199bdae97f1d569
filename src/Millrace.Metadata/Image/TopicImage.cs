using System.Collections.Immutable;
using Millrace.Metadata.Configs;

namespace Millrace.Metadata.Image;

/// <summary>A topic.</summary>
/// <param name="Id">Never used again, not even for a topic of the same name.</param>
/// <param name="Name">Unique among the topics that exist.</param>
/// <param name="ReplicationFactor">As it was asked for; may exceed the number of nodes.</param>
/// <param name="Partitions">By index, without a gap.</param>
/// <param name="Configs">What was set on the topic itself, by Kafka's names; see <see cref="TopicConfigs"/> for what is in effect.</param>
public sealed record TopicImage(
    Guid Id,
    string Name,
    short ReplicationFactor,
    ImmutableList<PartitionImage> Partitions,
    ImmutableSortedDictionary<string, string> Configs)
{
    public bool IsInternal => InternalTopics.Contains(Name);

    /// <summary>The partition of an index, or null.</summary>
    public PartitionImage? FindPartition(int index) => (uint)index < (uint)Partitions.Count ? Partitions[index] : null;

    public TopicRecord ToRecord() =>
        new()
        {
            TopicId = Id,
            Name = Name,
            ReplicationFactor = ReplicationFactor,
            Configs = [.. Configs.Select(config => new TopicRecord.Config { Name = config.Key, Value = config.Value })],
        };
}
