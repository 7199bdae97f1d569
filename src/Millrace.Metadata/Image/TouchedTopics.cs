using Millrace.Protocol.Messages;

namespace Millrace.Metadata.Image;

/// <summary>Which topics records have changed, so that a step from one image to another can be told without a look at every topic of the cluster.</summary>
/// <remarks>It may name topics that are as they were, and leaves out none that is not. Threading: one call at a time.</remarks>
public sealed class TouchedTopics
{
    private readonly SortedSet<Guid> _ids = [];

    /// <summary>Any topic may have changed.</summary>
    public bool AreAll { get; private set; }

    /// <summary>By id, those that are gone among them. Only unless <see cref="AreAll"/>.</summary>
    public IReadOnlyCollection<Guid> Ids => _ids;

    /// <summary>A record has made one image of another.</summary>
    public void Add(IRecord record, MetadataImage before, MetadataImage after)
    {
        if (ReferenceEquals(before.Topics, after.Topics))
        {
            return;
        }

        if (TopicOf(record) is { } topic)
        {
            _ids.Add(topic);
        }
        else
        {
            AddAll();
        }
    }

    /// <summary>There is another image, and nobody knows which records led to it.</summary>
    public void AddAll() => AreAll = true;

    /// <summary>Null where it may be any: what a node has led that is gone is of many.</summary>
    private static Guid? TopicOf(IRecord record) => record switch
    {
        TopicRecord topic => topic.TopicId,
        PartitionRecord partition => partition.TopicId,
        PartitionLeadersRecord leaders => leaders.TopicId,
        PartitionPlansRecord plans => plans.TopicId,
        PartitionReplicasRecord replicas => replicas.TopicId,
        PartitionWarmRecord warm => warm.TopicId,
        TopicConfigRecord config => config.TopicId,
        TopicRemovedRecord removed => removed.TopicId,
        _ => null,
    };
}
