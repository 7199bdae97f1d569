using Millrace.Controller.Streams;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol;

namespace Millrace.Controller.Topics;

/// <summary>DeleteTopics: by name, or since version 6 by name or id; answered in the order asked.</summary>
internal sealed class TopicDeletion(bool isEnabled)
{
    public DeleteTopicsResponse Delete(PendingEntry entry, DeleteTopicsRequest request)
    {
        var asked = request.Topics.Select(topic => (topic.Name, topic.TopicId))
            .Concat(request.TopicNames.Select(name => ((string?)name, Guid.Empty)))
            .ToArray();
        // Looked up before anything is deleted: a name and an id may mean the same topic.
        var found = asked.Select(topic => Find(entry, topic.Item1, topic.Item2)).ToArray();
        var results = new List<DeleteTopicsResponse.DeletableTopicResult>(asked.Length);
        for (var i = 0; i < asked.Length; i++)
        {
            // What is named twice is answered once, as in Kafka.
            if (Array.IndexOf(asked, asked[i]) < i)
            {
                continue;
            }

            var (name, id) = asked[i];
            var isTwice = Array.IndexOf(asked, asked[i]) != Array.LastIndexOf(asked, asked[i])
                || (found[i] is { } twice && found.Count(topic => topic?.Id == twice.Id) > 1);
            var refusal = isTwice
                ? new Refusal(ErrorCode.InvalidRequest, name is null ? "Duplicate topic id." : "Duplicate topic name.")
                : Check(found[i], name, id);
            if (refusal is not null)
            {
                results.Add(new DeleteTopicsResponse.DeletableTopicResult
                {
                    Name = name,
                    TopicId = id,
                    ErrorCode = (short)refusal.Error,
                    ErrorMessage = refusal.Message,
                });
                continue;
            }

            var topic = found[i]!;
            Delete(entry, topic);
            results.Add(new DeleteTopicsResponse.DeletableTopicResult { Name = topic.Name, TopicId = topic.Id });
        }

        // What a WAL held of them is void: they may have been the last that waited for it.
        WalRetirement.RetireUnneeded(entry);
        return new DeleteTopicsResponse { Responses = results };
    }

    private static TopicImage? Find(PendingEntry entry, string? name, Guid id)
    {
        if (name is not null && id != Guid.Empty)
        {
            // Refused, whatever it might mean.
            return null;
        }

        TopicImage? topic;
        return (name is null ? entry.Cluster.TryGetTopic(id, out topic) : entry.Cluster.TryGetTopic(name, out topic)) ? topic : null;
    }

    private Refusal? Check(TopicImage? topic, string? name, Guid id) => (topic, name) switch
    {
        (_, null) when id == Guid.Empty => new(ErrorCode.InvalidRequest, "Neither topic name nor id were specified."),
        (_, not null) when id != Guid.Empty => new(ErrorCode.InvalidRequest, "You may not specify both topic name and topic id."),
        _ when !isEnabled => new(ErrorCode.TopicDeletionDisabled, "Topic deletion is disabled."),
        ({ IsInternal: true }, _) => new(
            ErrorCode.InvalidTopicException, $"The internal topic {topic.Name} cannot be deleted: committed offsets would be lost with it."),
        (null, null) => new(ErrorCode.UnknownTopicId, "This server does not host this topic ID."),
        (null, _) => new(ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition."),
        _ => null,
    };

    /// <summary>The streams go with the topic; their objects follow once nothing else lies in them.</summary>
    private static void Delete(PendingEntry entry, TopicImage topic)
    {
        foreach (var partition in topic.Partitions)
        {
            entry.Add(new StreamRemovedRecord { StreamId = partition.Stream.Value });
        }

        entry.Add(new TopicRemovedRecord { TopicId = topic.Id });
    }
}
