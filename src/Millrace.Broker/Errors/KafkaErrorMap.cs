using System.Collections.Frozen;
using Millrace.Metadata.Channel;
using Millrace.Protocol;

namespace Millrace.Broker.Errors;

/// <summary>
/// The one place where errors of the layers below become Kafka's. A new member of an enum breaks the build until it is mapped. What streams
/// report comes here as what it means for a partition (<see cref="PartitionErrors"/>) or for a coordinator's shard.
/// </summary>
internal static partial class KafkaErrorMap
{
    // Each has a code of its own.
    private static readonly FrozenDictionary<ErrorCode, PartitionError> Told =
        Enum.GetValues<PartitionError>().ToFrozenDictionary(static error => ToErrorCode(error));

    /// <summary>What another broker of ours has refused, in whose answer it stands as Kafka's code.</summary>
    public static PartitionError ToPartitionError(short code) => Told.GetValueOrDefault((ErrorCode)code, PartitionError.Failed);

    /// <summary>For what the controller refuses as a whole, in answers about topics and configs.</summary>
    public static ErrorCode ToErrorCode(ControllerError error) => error switch
    {
        ControllerError.None => ErrorCode.None,
        // Kafka's clients look for the controller and ask again; so may those of a broker that was shut out of the cluster.
        ControllerError.ControllerLost or ControllerError.Fenced => ErrorCode.NotController,
        ControllerError.Busy => ErrorCode.RequestTimedOut,
        ControllerError.InvalidRequest => ErrorCode.InvalidRequest,
        // Of nodes and streams, which no client asks about.
        ControllerError.UnknownStream or ControllerError.Incomplete or ControllerError.PrepareExpired or ControllerError.RegistrationRefused =>
            ErrorCode.UnknownServerError,
    };

    /// <summary>For producer ids that the controller does not hand out.</summary>
    public static ErrorCode ToErrorCodeOfProducerIds(ControllerError error) => error switch
    {
        ControllerError.None => ErrorCode.None,
        // Every client takes it for passing here, as some do not take REQUEST_TIMED_OUT; Kafka answers with it, too.
        ControllerError.ControllerLost or ControllerError.Fenced or ControllerError.Busy => ErrorCode.CoordinatorLoadInProgress,
        ControllerError.InvalidRequest => ErrorCode.InvalidRequest,
        ControllerError.UnknownStream or ControllerError.Incomplete or ControllerError.PrepareExpired or ControllerError.RegistrationRefused =>
            ErrorCode.UnknownServerError,
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
        PartitionError.OffsetNotAvailable => ErrorCode.OffsetNotAvailable,
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
