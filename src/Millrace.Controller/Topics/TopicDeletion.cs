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
            try
            {
                if (Array.IndexOf(asked, asked[i]) != Array.LastIndexOf(asked, asked[i])
                    || (found[i] is { } twice && found.Count(topic => topic?.Id == twice.Id) > 1))
                {
                    throw new AdminException(ErrorCode.InvalidRequest, name is null ? "Duplicate topic id." : "Duplicate topic name.");
                }

                var topic = Check(found[i], name, id);
                Delete(entry, topic);
                results.Add(new DeleteTopicsResponse.DeletableTopicResult { Name = topic.Name, TopicId = topic.Id });
            }
            catch (AdminException refusal)
            {
                results.Add(new DeleteTopicsResponse.DeletableTopicResult
                {
                    Name = name,
                    TopicId = id,
                    ErrorCode = (short)refusal.Error,
                    ErrorMessage = refusal.Message,
                });
            }
        }

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

    private TopicImage Check(TopicImage? topic, string? name, Guid id)
    {
        if (name is null && id == Guid.Empty)
        {
            throw new AdminException(ErrorCode.InvalidRequest, "Neither topic name nor id were specified.");
        }

        if (name is not null && id != Guid.Empty)
        {
            throw new AdminException(ErrorCode.InvalidRequest, "You may not specify both topic name and topic id.");
        }

        if (!isEnabled)
        {
            throw new AdminException(ErrorCode.TopicDeletionDisabled, "Topic deletion is disabled.");
        }

        if (topic is { IsInternal: true })
        {
            throw new AdminException(
                ErrorCode.InvalidTopicException, $"The internal topic {topic.Name} cannot be deleted: committed offsets would be lost with it.");
        }

        return topic ?? (name is null
            ? throw new AdminException(ErrorCode.UnknownTopicId, "This server does not host this topic ID.")
            : throw new AdminException(ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition."));
    }

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
