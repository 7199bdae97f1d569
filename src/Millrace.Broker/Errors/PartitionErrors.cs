using Millrace.Streams;

namespace Millrace.Broker.Errors;

/// <summary>What a failure of the stream means for a request to the partition, and what a refusal means for the batches behind.</summary>
internal static class PartitionErrors
{
    /// <summary>Whether a partition ends like that in its usual course: it is another's, closed, or its topic was deleted.</summary>
    public static bool IsExpectedEnd(StreamError error) =>
        error is StreamError.Fenced or StreamError.Closed or StreamError.Unknown or StreamError.Incomplete;

    /// <summary>
    /// What is said of the batches that an idempotent producer has sent behind one that was refused, until that one comes again; None where it will not, or
    /// where they are judged by themselves.
    /// </summary>
    public static PartitionError Behind(PartitionError refusal) => refusal switch
    {
        PartitionError.UnknownPartition or PartitionError.UnknownTopicId or PartitionError.NotLeader or PartitionError.FencedLeaderEpoch
            or PartitionError.UnknownLeaderEpoch or PartitionError.TimedOut or PartitionError.StorageFailed or PartitionError.CorruptBatch => refusal,

        // To most clients it is final: to hear it of a batch that nobody has looked at would be the end of that one, too.
        PartitionError.Failed => PartitionError.OutOfOrderSequence,
        PartitionError.None or PartitionError.OffsetOutOfRange or PartitionError.OffsetNotAvailable or PartitionError.InternalTopic
            or PartitionError.PolicyViolation or PartitionError.InvalidRecord or PartitionError.InvalidTimestamp or PartitionError.BatchTooLarge
            or PartitionError.BatchExceedsSegment
            or PartitionError.UnsupportedCompression or PartitionError.OutOfOrderSequence or PartitionError.StaleProducerEpoch
            or PartitionError.NoTransaction => PartitionError.None,
    };

    public static PartitionError Of(StreamError error) => error switch
    {
        // The client asks anew who leads, and finds the one who took the stream.
        StreamError.Fenced or StreamError.Closed or StreamError.Incomplete => PartitionError.NotLeader,
        StreamError.Unknown => PartitionError.UnknownPartition,
        StreamError.OffsetOutOfRange => PartitionError.OffsetOutOfRange,
        StreamError.WalFailed or StreamError.StorageUnavailable or StreamError.ControllerLost or StreamError.PrepareExpired or StreamError.Corrupt =>
            PartitionError.StorageFailed,
    };
}
