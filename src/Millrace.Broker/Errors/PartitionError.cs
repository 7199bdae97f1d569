namespace Millrace.Broker.Errors;

/// <summary>Why a partition refused a request, or could not do what it asked.</summary>
internal enum PartitionError
{
    None,

    /// <summary>There is no such topic, or it has no partition of that number.</summary>
    UnknownPartition,

    /// <summary>No topic has that id.</summary>
    UnknownTopicId,

    /// <summary>This node does not lead the partition, or does not any more.</summary>
    NotLeader,

    /// <summary>The client knows an older leader epoch than this one.</summary>
    FencedLeaderEpoch,

    /// <summary>The client knows a newer leader epoch than this node does.</summary>
    UnknownLeaderEpoch,

    /// <summary>The offset lies outside what can be read or deleted.</summary>
    OffsetOutOfRange,

    /// <summary>The offset may be there by now, and this node, which follows the partition, cannot find out.</summary>
    OffsetNotAvailable,

    /// <summary>The request's time was up before the outcome was known; or before it began, and then nothing was done.</summary>
    TimedOut,

    /// <summary>The storage failed, or what it returned is damaged.</summary>
    StorageFailed,

    /// <summary>Something failed that should not, such as an allocation; nothing was done.</summary>
    Failed,

    /// <summary>Clients may not write to the topic, or delete from it.</summary>
    InternalTopic,

    /// <summary>The topic's cleanup policy forbids it.</summary>
    PolicyViolation,

    /// <summary>The bytes are not what was sent: no batch, or another checksum.</summary>
    CorruptBatch,

    /// <summary>The batch is intact, but breaks a rule of the format or of the topic.</summary>
    InvalidRecord,

    /// <summary>A timestamp is too far from the present.</summary>
    InvalidTimestamp,

    /// <summary>The batch is larger than the topic allows.</summary>
    BatchTooLarge,

    /// <summary>The batch is larger than a segment may be.</summary>
    BatchExceedsSegment,

    /// <summary>The codec is not one that this version of the request may use.</summary>
    UnsupportedCompression,

    /// <summary>Batches are missing before this one.</summary>
    OutOfOrderSequence,

    /// <summary>A newer instance of the producer has written.</summary>
    StaleProducerEpoch,

    /// <summary>The batch belongs to a transaction, and none is open.</summary>
    NoTransaction,
}
