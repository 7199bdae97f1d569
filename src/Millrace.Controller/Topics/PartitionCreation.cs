using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>CreatePartitions: topics grow; each is checked and answered by itself.</summary>
internal static class PartitionCreation
{
    public static CreatePartitionsResponse Create(PendingEntry entry, CreatePartitionsRequest request)
    {
        var names = request.Topics.CountBy(topic => topic.Name, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var room = TopicCreation.MaxPartitionsPerRequest;
        var results = new List<CreatePartitionsResponse.CreatePartitionsTopicResult>(request.Topics.Count);
        foreach (var asked in request.Topics.DistinctBy(topic => topic.Name, StringComparer.Ordinal))
        {
            var result = new CreatePartitionsResponse.CreatePartitionsTopicResult { Name = asked.Name };
            var refusal = names[asked.Name] > 1
                ? new Refusal(ErrorCode.InvalidRequest, "Duplicate topic name.")
                : Create(entry, asked, ref room, keep: !request.ValidateOnly);
            if (refusal is not null)
            {
                result.ErrorCode = (short)refusal.Error;
                result.ErrorMessage = refusal.Message;
            }

            results.Add(result);
        }

        return new CreatePartitionsResponse { Results = results };
    }

    private static Refusal? Create(PendingEntry entry, CreatePartitionsRequest.CreatePartitionsTopic asked, ref int room, bool keep)
    {
        if (!entry.Cluster.TryGetTopic(asked.Name, out var topic))
        {
            return new Refusal(ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
        }

        if (topic.IsInternal)
        {
            return new Refusal(
                ErrorCode.InvalidTopicException,
                $"The partitions of the internal topic {topic.Name} cannot be changed: what it holds is found by their number, and would be lost.");
        }

        if (Check(entry, topic, asked, ref room, out var replicas) is { } refusal)
        {
            return refusal;
        }

        return entry.Try(
            pending =>
            {
                TopicCreation.AddPartitions(pending, topic.Id, topic.Partitions.Count, replicas);
                return null;
            },
            keep);
    }

    private static Refusal? Check(
        PendingEntry entry,
        TopicImage topic,
        CreatePartitionsRequest.CreatePartitionsTopic asked,
        ref int room,
        out IReadOnlyList<IReadOnlyList<NodeId>> replicas)
    {
        replicas = [];
        var present = topic.Partitions.Count;
        if (asked.Count == present)
        {
            return new Refusal(ErrorCode.InvalidPartitions, $"Topic already has {present} partition(s).");
        }

        if (asked.Count < present)
        {
            return new Refusal(
                ErrorCode.InvalidPartitions, $"The topic {topic.Name} currently has {present} partition(s); {asked.Count} would not be an increase.");
        }

        var count = asked.Count - present;
        if (count > room)
        {
            return TopicCheck.TooManyPartitions;
        }

        room -= count;
        if (ReplicaPlacement.RefuseWithoutBroker(entry) is { } nobody)
        {
            return nobody;
        }

        if (asked.Assignments is not { } assignments)
        {
            replicas = new ReplicaPlacement(entry).Place(count, topic.ReplicationFactor);
            return null;
        }

        if (assignments.Count != count)
        {
            return new Refusal(
                ErrorCode.InvalidReplicaAssignment,
                $"Attempted to add {count} additional partition(s), but only {assignments.Count} assignment(s) were specified.");
        }

        // A factor above the number of nodes was accepted: whoever extends such a topic by hand repeats it, or what describes the topic.
        var chosen = assignments.Select((assignment, i) => (Partition: present + i, Brokers: assignment.BrokerIds)).ToArray();
        if (ManualAssignment.Check(entry, chosen, alsoKnown: topic.Partitions[0].Replicas) is { } refusal)
        {
            return refusal;
        }

        replicas = ManualAssignment.Replicas(chosen);
        var described = entry.Cluster.Replicas(topic.Partitions[0]).Count;
        return replicas.All(list => list.Count == topic.ReplicationFactor) || replicas.All(list => list.Count == described)
            ? null
            : new Refusal(
                ErrorCode.InvalidReplicaAssignment,
                $"The manual partition assignment does not have the topic's replication factor of {topic.ReplicationFactor}.");
    }
}
