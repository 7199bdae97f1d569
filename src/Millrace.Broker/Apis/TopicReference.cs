using Millrace.Broker.Errors;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Apis;

/// <summary>A topic as a request names it: by its name, and from some version of each API on by its id.</summary>
/// <param name="Name">Counts unless the topic is named by its id.</param>
/// <param name="Id">Counts if it is.</param>
/// <param name="IsById">Which of them counts.</param>
internal readonly record struct TopicReference(string? Name, Guid Id, bool IsById)
{
    /// <summary>What is said where there is no such topic.</summary>
    public PartitionError Absence => IsById ? PartitionError.UnknownTopicId : PartitionError.UnknownPartition;

    /// <summary>The topic's name; null where its id is not known.</summary>
    public string? NameIn(MetadataImage image) => IsById ? image.NameOf(Id) : Name;

    /// <summary>The topic, or null if there is none.</summary>
    public TopicImage? FindIn(MetadataImage image)
    {
        TopicImage? topic;
        _ = IsById ? image.TryGetTopic(Id, out topic) : image.TryGetTopic(Name ?? "", out topic);
        return topic;
    }
}
