using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Coordination.Shards;
using Millrace.Streams;

namespace Millrace.Broker.Groups;

/// <summary>What a failure of its partition means for a coordinator's shard.</summary>
internal static class CoordinatorErrors
{
    /// <param name="error">Why the partition refused.</param>
    /// <param name="phase">Where the partition stands now: one that is lost comes back at another epoch only.</param>
    public static CoordinatorError Of(PartitionError error, PartitionPhase phase) => error switch
    {
        PartitionError.NotLeader or PartitionError.UnknownPartition or PartitionError.UnknownTopicId => CoordinatorError.NotHere,
        PartitionError.FencedLeaderEpoch or PartitionError.UnknownLeaderEpoch => CoordinatorError.NotHere,
        PartitionError.TimedOut or PartitionError.Failed => CoordinatorError.Unavailable,
        PartitionError.StorageFailed => phase == PartitionPhase.Lost ? CoordinatorError.NotHere : CoordinatorError.Unavailable,
        // Nothing of this can be said of a batch of ours; if it is, the fault is ours too.
        PartitionError.None or PartitionError.OffsetOutOfRange or PartitionError.OffsetNotAvailable => CoordinatorError.Failed,
        PartitionError.InternalTopic or PartitionError.PolicyViolation => CoordinatorError.Failed,
        PartitionError.CorruptBatch or PartitionError.InvalidRecord or PartitionError.InvalidTimestamp => CoordinatorError.Failed,
        PartitionError.BatchTooLarge or PartitionError.BatchExceedsSegment or PartitionError.UnsupportedCompression => CoordinatorError.Failed,
        PartitionError.OutOfOrderSequence or PartitionError.StaleProducerEpoch or PartitionError.NoTransaction => CoordinatorError.Failed,
    };

    /// <summary>For an append whose outcome is unknown.</summary>
    public static CoordinatorError Of(StreamError error, PartitionPhase phase) => Of(PartitionErrors.Of(error), phase);
}
