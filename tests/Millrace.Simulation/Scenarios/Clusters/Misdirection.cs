using Millrace.Protocol;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>Tells from an answer that whoever gave it is not, or no longer, the one to ask.</summary>
internal static class Misdirection
{
    public static bool IsIn(object answer) => answer switch
    {
        ProduceResponse produced => produced.Responses.Any(topic => topic.PartitionResponses.Any(partition => Means(partition.ErrorCode))),
        FetchResponse fetched => Means(fetched.ErrorCode) || fetched.Responses.Any(topic => topic.Partitions.Any(partition => Means(partition.ErrorCode))),
        DeleteRecordsResponse trimmed => trimmed.Topics.Any(topic => topic.Partitions.Any(partition => Means(partition.ErrorCode))),
        JoinGroupResponse joined => Means(joined.ErrorCode),
        SyncGroupResponse synced => Means(synced.ErrorCode),
        HeartbeatResponse heard => Means(heard.ErrorCode),
        LeaveGroupResponse left => Means(left.ErrorCode),
        OffsetCommitResponse committed => committed.Topics.Any(topic => topic.Partitions.Any(partition => Means(partition.ErrorCode))),
        OffsetFetchResponse fetched =>
            Means(fetched.ErrorCode) || fetched.Topics.Any(topic => topic.Partitions.Any(partition => Means(partition.ErrorCode))),
        _ => false,
    };

    private static bool Means(short error) => (ErrorCode)error is ErrorCode.NotLeaderOrFollower or ErrorCode.LeaderNotAvailable
        or ErrorCode.UnknownTopicOrPartition or ErrorCode.UnknownTopicId or ErrorCode.KafkaStorageError or ErrorCode.NotCoordinator
        or ErrorCode.CoordinatorNotAvailable or ErrorCode.FencedLeaderEpoch or ErrorCode.UnknownLeaderEpoch;
}
