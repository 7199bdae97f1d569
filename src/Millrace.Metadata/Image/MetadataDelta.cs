using System.Collections.Immutable;

namespace Millrace.Metadata.Image;

/// <summary>One step from an image to the next.</summary>
/// <param name="Before">The image that the observer held.</param>
/// <param name="After">The image that it holds now.</param>
/// <param name="ChangedTopics">Topics that were created, or changed in partitions, leaders or configs, as they are now.</param>
/// <param name="DeletedTopics">Topics that are gone, as they were.</param>
/// <param name="NodesChanged">Some node was registered, fenced or stopped.</param>
/// <param name="BrokerConfigsChanged">Some broker config was set or unset; topics inherit from them.</param>
public sealed record MetadataDelta(
    MetadataImage Before,
    MetadataImage After,
    ImmutableArray<TopicImage> ChangedTopics,
    ImmutableArray<TopicImage> DeletedTopics,
    bool NodesChanged,
    bool BrokerConfigsChanged)
{
    /// <summary>The step between two images. Costs a look at every topic; what did not change is known by identity.</summary>
    public static MetadataDelta Between(MetadataImage before, MetadataImage after)
    {
        var changed = ImmutableArray.CreateBuilder<TopicImage>();
        var deleted = ImmutableArray.CreateBuilder<TopicImage>();
        if (!ReferenceEquals(before.Topics, after.Topics))
        {
            foreach (var (name, topic) in after.Topics)
            {
                if (!before.Topics.TryGetValue(name, out var former) || !ReferenceEquals(former, topic))
                {
                    changed.Add(topic);
                }
            }

            foreach (var (name, topic) in before.Topics)
            {
                // A topic that was deleted and created anew under the same name is another topic.
                if (!after.Topics.TryGetValue(name, out var current) || current.Id != topic.Id)
                {
                    deleted.Add(topic);
                }
            }
        }

        return new MetadataDelta(
            before,
            after,
            changed.ToImmutable(),
            deleted.ToImmutable(),
            !ReferenceEquals(before.Nodes, after.Nodes),
            !ReferenceEquals(before.BrokerConfigs, after.BrokerConfigs));
    }
}
