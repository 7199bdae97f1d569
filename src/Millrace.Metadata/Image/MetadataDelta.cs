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
    /// <summary>The step between two images. What did not change is known by identity.</summary>
    /// <param name="before">The former.</param>
    /// <param name="after">The latter.</param>
    /// <param name="touched">The topics that may differ; null, as all of them, costs a look at every topic.</param>
    public static MetadataDelta Between(MetadataImage before, MetadataImage after, TouchedTopics? touched = null)
    {
        var changed = ImmutableArray.CreateBuilder<TopicImage>();
        var deleted = ImmutableArray.CreateBuilder<TopicImage>();
        if (touched is { AreAll: false })
        {
            AddTouched(before, after, touched, changed, deleted);
        }
        else if (!ReferenceEquals(before.Topics, after.Topics))
        {
            AddAll(before, after, changed, deleted);
        }

        return new MetadataDelta(
            before,
            after,
            changed.ToImmutable(),
            deleted.ToImmutable(),
            !ReferenceEquals(before.Nodes, after.Nodes),
            !ReferenceEquals(before.BrokerConfigs, after.BrokerConfigs));
    }

    private static void AddTouched(
        MetadataImage before,
        MetadataImage after,
        TouchedTopics touched,
        ImmutableArray<TopicImage>.Builder changed,
        ImmutableArray<TopicImage>.Builder deleted)
    {
        foreach (var id in touched.Ids)
        {
            before.TryGetTopic(id, out var former);
            if (!after.TryGetTopic(id, out var topic))
            {
                if (former is not null)
                {
                    deleted.Add(former);
                }
            }
            else if (!ReferenceEquals(former, topic))
            {
                changed.Add(topic);
            }
        }
    }

    private static void AddAll(
        MetadataImage before, MetadataImage after, ImmutableArray<TopicImage>.Builder changed, ImmutableArray<TopicImage>.Builder deleted)
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
}
