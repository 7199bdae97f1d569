using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>
/// AlterPartitionReassignments: partitions have other replicas from now on, and another leader soon, where theirs is not among them: the first that lives.
/// Each is checked and answered by itself.
/// </summary>
/// <remarks>Replicas are virtual, so that nothing is copied; what is under way afterwards is that leaders hand over.</remarks>
internal static class Reassignment
{
    // As many as may be created at once, for the size of the log entry.
    private const int MaxPartitionsPerRequest = TopicCreation.MaxPartitionsPerRequest;

    public static AlterPartitionReassignmentsResponse Alter(PendingEntry entry, AlterPartitionReassignmentsRequest request)
    {
        var response = new AlterPartitionReassignmentsResponse { AllowReplicationFactorChange = request.AllowReplicationFactorChange };
        if (request.Topics.Sum(topic => topic.Partitions.Count) > MaxPartitionsPerRequest)
        {
            response.ErrorCode = (short)ErrorCode.PolicyViolation;
            response.ErrorMessage = $"At most {MaxPartitionsPerRequest} partitions are reassigned at once.";
            return response;
        }

        response.Responses = [.. request.Topics.Select(topic => Alter(entry, topic, request.AllowReplicationFactorChange))];

        // A drain is ended by an undrain, and not partition by partition.
        Evacuation.PlanDrained(entry);
        return response;
    }

    private static AlterPartitionReassignmentsResponse.ReassignableTopicResponse Alter(
        PendingEntry entry, AlterPartitionReassignmentsRequest.ReassignableTopic asked, bool mayChangeFactor)
    {
        entry.Cluster.TryGetTopic(asked.Name, out var topic);
        var twice = asked.Partitions.CountBy(partition => partition.PartitionIndex).Where(count => count.Value > 1).Select(count => count.Key).ToHashSet();
        var accepted = new SortedDictionary<int, IReadOnlyList<NodeId>?>();
        var results = new List<AlterPartitionReassignmentsResponse.ReassignablePartitionResponse>(asked.Partitions.Count);
        foreach (var wanted in asked.Partitions)
        {
            var refusal = twice.Contains(wanted.PartitionIndex)
                ? new Refusal(ErrorCode.InvalidRequest, "The partition is named twice.")
                : Check(entry, topic, wanted, mayChangeFactor);
            if (refusal is null)
            {
                accepted.Add(wanted.PartitionIndex, wanted.Replicas?.Select(replica => new NodeId(replica)).ToArray());
            }

            results.Add(new AlterPartitionReassignmentsResponse.ReassignablePartitionResponse
            {
                PartitionIndex = wanted.PartitionIndex,
                ErrorCode = (short)(refusal?.Error ?? ErrorCode.None),
                ErrorMessage = refusal?.Message,
            });
        }

        if (accepted.Count > 0)
        {
            Assign(entry, topic!, accepted);
        }

        return new AlterPartitionReassignmentsResponse.ReassignableTopicResponse { Name = asked.Name, Partitions = results };
    }

    private static Refusal? Check(
        PendingEntry entry, TopicImage? topic, AlterPartitionReassignmentsRequest.ReassignablePartition wanted, bool mayChangeFactor)
    {
        if (topic?.FindPartition(wanted.PartitionIndex) is not { } partition)
        {
            return new Refusal(ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
        }

        if (wanted.Replicas is not { } brokers)
        {
            return partition.Moves ? null : new Refusal(ErrorCode.NoReassignmentInProgress, "The partition is not being moved.");
        }

        if (ManualAssignment.Check(entry, [(wanted.PartitionIndex, brokers)], alsoKnown: [], present: partition.Replicas) is { } refusal)
        {
            return refusal;
        }

        var described = entry.Cluster.Replicas(partition).Count;
        return mayChangeFactor || brokers.Count == described || brokers.Count == partition.Replicas.Length
            ? null
            : new Refusal(ErrorCode.InvalidReplicationFactor, $"The replication factor is {described}, and must not change to {brokers.Count}.");
    }

    /// <param name="entry">The entry that is being put together.</param>
    /// <param name="topic">Their topic.</param>
    /// <param name="wanted">By partition the replicas; null to end a move.</param>
    private static void Assign(PendingEntry entry, TopicImage topic, SortedDictionary<int, IReadOnlyList<NodeId>?> wanted)
    {
        var moves = new LeaderMoves(entry, topic);
        var assigned = new PartitionReplicasRecord
        {
            TopicId = topic.Id,
            Assignments =
            [
                .. wanted.Where(one => one.Value is not null).Select(one => new PartitionReplicasRecord.Assignment
                {
                    Partition = one.Key,
                    Replicas = [.. WithPlaces(entry, topic.Partitions[one.Key], one.Value!).Select(replica => replica.Value)],
                }),
            ],
        };
        if (assigned.Assignments.Count > 0)
        {
            entry.Add(assigned);
        }

        foreach (var (index, replicas) in wanted)
        {
            // One without a leader has a plan already, by which it gets one.
            if (topic.Partitions[index] is { Leader: { } leader } partition)
            {
                moves.Add(partition, replicas is null || replicas.Contains(leader) ? null : BrokerDuties.PreferredLeader(entry.Cluster, replicas));
            }
        }

        moves.Record();
    }

    /// <summary>Places whose nodes have not come yet stay behind the others, as far as there is room: whoever reassigns has not been told of them.</summary>
    private static IEnumerable<NodeId> WithPlaces(PendingEntry entry, PartitionImage partition, IReadOnlyList<NodeId> replicas) =>
        replicas.Concat(partition.Replicas
            .Where(place => !entry.Cluster.Nodes.ContainsKey(place))
            .Take(Math.Max(0, partition.Replicas.Length - replicas.Count)));
}
