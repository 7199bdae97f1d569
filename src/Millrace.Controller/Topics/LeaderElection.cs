using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;

namespace Millrace.Controller.Topics;

/// <summary>
/// ElectLeaders: partitions move to their preferred leaders (<see cref="BrokerDuties.PreferredLeader"/>). Each is checked and answered by itself.
/// </summary>
/// <remarks>
/// An unclean election means the same: whatever leads next has everything that was acknowledged. What is accepted here is planned; whoever asked waits for
/// the leader's handing over.
/// </remarks>
internal static class LeaderElection
{
    public static ElectLeadersResponse Elect(PendingEntry entry, ElectLeadersRequest request)
    {
        var isUnclean = request.ElectionType != 0;
        var results = new List<ElectLeadersResponse.ReplicaElectionResult>();
        if (request.TopicPartitions is not { } asked)
        {
            // All: those that are led as they should be are not told of, as by Kafka.
            foreach (var topic in entry.Cluster.Topics.Values)
            {
                var elected = Elect(entry, topic.Name, [.. topic.Partitions.Select(partition => partition.Index)], isUnclean)
                    .Where(partition => partition.ErrorCode != (short)ErrorCode.ElectionNotNeeded)
                    .ToArray();
                if (elected.Length > 0)
                {
                    results.Add(new ElectLeadersResponse.ReplicaElectionResult { Topic = topic.Name, PartitionResult = elected });
                }
            }
        }
        else
        {
            foreach (var topic in asked)
            {
                var partitions = topic.Partitions.Distinct().Order().ToArray();
                results.Add(new ElectLeadersResponse.ReplicaElectionResult
                {
                    Topic = topic.Topic, PartitionResult = Elect(entry, topic.Topic, partitions, isUnclean),
                });
            }
        }

        return new ElectLeadersResponse { ReplicaElectionResults = results };
    }

    private static ElectLeadersResponse.PartitionResult[] Elect(PendingEntry entry, string name, int[] partitions, bool isUnclean)
    {
        entry.Cluster.TryGetTopic(name, out var topic);
        var moves = topic is null ? null : new LeaderMoves(entry, topic);
        var results = partitions.Select(index =>
        {
            var refusal = Elect(entry, topic?.FindPartition(index), moves, isUnclean);
            return new ElectLeadersResponse.PartitionResult
            {
                PartitionId = index, ErrorCode = (short)(refusal?.Error ?? ErrorCode.None), ErrorMessage = refusal?.Message,
            };
        }).ToArray();
        moves?.Record();
        return results;
    }

    private static Refusal? Elect(PendingEntry entry, PartitionImage? partition, LeaderMoves? moves, bool isUnclean)
    {
        var unavailable = isUnclean ? ErrorCode.EligibleLeadersNotAvailable : ErrorCode.PreferredLeaderNotAvailable;
        if (partition is null)
        {
            return new Refusal(ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
        }

        if (partition.Leader is not { } leader)
        {
            return new Refusal(unavailable, "The partition has no leader until what its last leader had acknowledged is recovered.");
        }

        if (BrokerDuties.PreferredLeader(entry.Cluster, partition.Replicas) is not { } preferred)
        {
            return new Refusal(unavailable, "No replica of the partition is alive, but for drained ones.");
        }

        if (leader == preferred && !partition.Moves)
        {
            return new Refusal(ErrorCode.ElectionNotNeeded, "Leader election not needed for topic partition.");
        }

        moves!.Add(partition, preferred);
        return null;
    }
}
