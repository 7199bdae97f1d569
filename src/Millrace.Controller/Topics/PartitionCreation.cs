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
            try
            {
                if (names[asked.Name] > 1)
                {
                    throw new AdminException(ErrorCode.InvalidRequest, "Duplicate topic name.");
                }

                if (!entry.Cluster.TryGetTopic(asked.Name, out var topic))
                {
                    throw new AdminException(ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
                }

                if (topic.IsInternal)
                {
                    throw new AdminException(
                        ErrorCode.InvalidTopicException,
                        $"The partitions of the internal topic {topic.Name} cannot be changed: what it holds is found by their number, and would be lost.");
                }

                var replicas = Check(entry, topic, asked, ref room);
                entry.Run(
                    pending =>
                    {
                        TopicCreation.AddPartitions(pending, topic.Id, topic.Partitions.Count, replicas);
                        return true;
                    },
                    keep: !request.ValidateOnly);
            }
            catch (AdminException refusal)
            {
                result.ErrorCode = (short)refusal.Error;
                result.ErrorMessage = refusal.Message;
            }

            results.Add(result);
        }

        return new CreatePartitionsResponse { Results = results };
    }

    private static IReadOnlyList<NodeId>[] Check(
        PendingEntry entry, TopicImage topic, CreatePartitionsRequest.CreatePartitionsTopic asked, ref int room)
    {
        var present = topic.Partitions.Count;
        if (asked.Count == present)
        {
            throw new AdminException(ErrorCode.InvalidPartitions, $"Topic already has {present} partition(s).");
        }

        if (asked.Count < present)
        {
            throw new AdminException(
                ErrorCode.InvalidPartitions,
                $"The topic {topic.Name} currently has {present} partition(s); {asked.Count} would not be an increase.");
        }

        var count = asked.Count - present;
        if (count > room)
        {
            throw new AdminException(
                ErrorCode.PolicyViolation,
                $"Excessively large number of partitions per request: at most {TopicCreation.MaxPartitionsPerRequest} are created at once.");
        }

        room -= count;
        if (asked.Assignments is not { } assignments)
        {
            var live = TopicCreation.LiveNodes(entry);
            return
            [
                .. Enumerable.Range(present, count)
                    .Select(index => PartitionAssignment.PlaceReplicas(live, entry.Cluster.NextNodeId, index, topic.ReplicationFactor)),
            ];
        }

        if (assignments.Count != count)
        {
            throw new AdminException(
                ErrorCode.InvalidReplicaAssignment,
                $"Attempted to add {count} additional partition(s), but only {assignments.Count} assignment(s) were specified.");
        }

        // A factor above the number of nodes was accepted: whoever extends such a topic by hand repeats it, or what describes the topic.
        var replicas = assignments
            .Select((assignment, i) => TopicCreation.CheckReplicas(entry, assignment.BrokerIds, present + i, topic.Partitions[0].Replicas))
            .ToArray();
        var described = entry.Cluster.Replicas(topic.Partitions[0]).Count;
        return replicas.All(list => list.Count == topic.ReplicationFactor) || replicas.All(list => list.Count == described)
            ? replicas
            : throw new AdminException(
                ErrorCode.InvalidReplicaAssignment,
                $"The manual partition assignment does not have the topic's replication factor of {topic.ReplicationFactor}.");
    }
}
