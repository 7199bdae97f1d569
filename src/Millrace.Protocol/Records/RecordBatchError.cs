namespace Millrace.Protocol.Records;

/// <summary>What is wrong with a batch that a producer sent. Each has one Kafka error, which the broker knows.</summary>
public enum RecordBatchError
{
    None,

    /// <summary>Fewer bytes than a header, or than the header says.</summary>
    Truncated,

    /// <summary>More bytes than one batch.</summary>
    MoreThanOneBatch,

    /// <summary>A message format that ended with Kafka 4: magic 0 or 1.</summary>
    OldFormat,

    /// <summary>A magic that no format has.</summary>
    UnknownFormat,

    /// <summary>Larger than the topic allows.</summary>
    TooLarge,

    /// <summary>The checksum does not match.</summary>
    CorruptChecksum,

    /// <summary>The codec may not be used: zstd by a client too old to know it.</summary>
    CodecNotAllowed,

    /// <summary>The codec's number names none.</summary>
    UnknownCodec,

    /// <summary>The base offset is not 0, the count does not fit the last offset, or the offsets are not consecutive.</summary>
    InconsistentOffsets,

    /// <summary>A control batch, which only brokers write.</summary>
    ControlBatch,

    /// <summary>A delete horizon, which only cleaning sets.</summary>
    DeleteHorizon,

    /// <summary>An idempotent producer's batch without a sequence number.</summary>
    MissingSequence,

    /// <summary>The batch claims the broker's clock.</summary>
    LogAppendTimeByClient,

    /// <summary>The records cannot be decompressed.</summary>
    Undecodable,

    /// <summary>The records take more room decompressed than is granted.</summary>
    DecompressedTooLarge,

    /// <summary>There was no memory to look at the records; nothing is known to be wrong with them.</summary>
    OutOfMemory,

    /// <summary>A record's length, key, value or headers do not fit its bytes, or bytes follow the last record.</summary>
    MalformedRecord,

    /// <summary>A record without a key for a compacted topic.</summary>
    MissingKey,

    /// <summary>A record's timestamp is too far from now.</summary>
    TimestampOutOfRange,
}
