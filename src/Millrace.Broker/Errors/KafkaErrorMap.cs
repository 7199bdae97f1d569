using Millrace.Protocol;
using Millrace.Streams;

namespace Millrace.Broker.Errors;

/// <summary>The one place where errors of the layers below become Kafka's. A new member of an enum breaks the build until it is mapped.</summary>
internal static partial class KafkaErrorMap
{
    /// <summary>For appends, reads and lookups.</summary>
    public static ErrorCode ToErrorCode(StreamError error) => error switch
    {
        // Somebody else leads: the client looks for the new leader and tries again there.
        StreamError.Fenced => ErrorCode.NotLeaderOrFollower,
        StreamError.Closed => ErrorCode.NotLeaderOrFollower,
        // The topic is being deleted; metadata will say so.
        StreamError.Unknown => ErrorCode.UnknownTopicOrPartition,
        // Nobody may lead until the former owner's WAL is recovered.
        StreamError.Incomplete => ErrorCode.LeaderNotAvailable,
        StreamError.OffsetOutOfRange => ErrorCode.OffsetOutOfRange,
        // The outcome is unknown; a retry goes to whoever leads then, and idempotence tells a duplicate.
        StreamError.WalFailed => ErrorCode.NotLeaderOrFollower,
        StreamError.StorageUnavailable => ErrorCode.RequestTimedOut,
        // Uploads draw new ids and go on; it does not reach a client's call.
        StreamError.PrepareExpired => ErrorCode.UnknownServerError,
        StreamError.Corrupt => ErrorCode.KafkaStorageError,
    };

    /// <summary>For what partitions refuse. Consumers know few codes in a fetch, and these are among them where a fetch can get them.</summary>
    public static ErrorCode ToErrorCode(PartitionError error) => error switch
    {
        PartitionError.None => ErrorCode.None,
        PartitionError.UnknownPartition => ErrorCode.UnknownTopicOrPartition,
        PartitionError.UnknownTopicId => ErrorCode.UnknownTopicId,
        PartitionError.NotLeader => ErrorCode.NotLeaderOrFollower,
        PartitionError.FencedLeaderEpoch => ErrorCode.FencedLeaderEpoch,
        PartitionError.UnknownLeaderEpoch => ErrorCode.UnknownLeaderEpoch,
        PartitionError.OffsetOutOfRange => ErrorCode.OffsetOutOfRange,
        PartitionError.TimedOut => ErrorCode.RequestTimedOut,
        PartitionError.StorageFailed => ErrorCode.KafkaStorageError,
        PartitionError.Failed => ErrorCode.UnknownServerError,
        PartitionError.InternalTopic => ErrorCode.InvalidTopicException,
        PartitionError.PolicyViolation => ErrorCode.PolicyViolation,
        PartitionError.CorruptBatch => ErrorCode.CorruptMessage,
        PartitionError.InvalidRecord => ErrorCode.InvalidRecord,
        PartitionError.InvalidTimestamp => ErrorCode.InvalidTimestamp,
        PartitionError.BatchTooLarge => ErrorCode.MessageTooLarge,
        PartitionError.BatchExceedsSegment => ErrorCode.RecordListTooLarge,
        PartitionError.UnsupportedCompression => ErrorCode.UnsupportedCompressionType,
        PartitionError.OutOfOrderSequence => ErrorCode.OutOfOrderSequenceNumber,
        PartitionError.StaleProducerEpoch => ErrorCode.InvalidProducerEpoch,
        PartitionError.NoTransaction => ErrorCode.InvalidTxnState,
    };
}
