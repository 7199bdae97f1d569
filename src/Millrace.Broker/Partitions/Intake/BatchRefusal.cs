using Millrace.Broker.Errors;
using Millrace.Protocol;
using Millrace.Protocol.Records;

namespace Millrace.Broker.Partitions.Intake;

/// <summary>Why a batch was refused, in words, and which of its records are to blame, where that is known.</summary>
/// <param name="Message">About the batch.</param>
/// <param name="Records">By index, ascending.</param>
internal sealed record BatchRefusal(string Message, IReadOnlyList<ProduceResponse.BatchIndexAndErrorMessage> Records)
{
    public static BatchRefusal Of(PartitionError error, in RecordBatchVerdict verdict)
    {
        var message = error switch
        {
            PartitionError.NoTransaction => "No transaction is open: transactions are not supported yet.",
            PartitionError.BatchExceedsSegment => "The batch is larger than segment.bytes of the topic.",
            PartitionError.BatchTooLarge => "The batch is larger than max.message.bytes of the topic allows.",
            _ => Describe(verdict.Error),
        };
        var blame = Describe(verdict.Error);
        return new BatchRefusal(message, verdict.InvalidRecords is not { Count: > 0 } wrong ? [] :
        [
            .. wrong.Select(index => new ProduceResponse.BatchIndexAndErrorMessage { BatchIndex = index, BatchIndexErrorMessage = blame }),
        ]);
    }

    private static string Describe(RecordBatchError error) => error switch
    {
        RecordBatchError.None => "",
        RecordBatchError.Truncated => "The bytes are fewer than a record batch, or than it says.",
        RecordBatchError.MoreThanOneBatch => "A produce request must carry exactly one record batch for a partition.",
        RecordBatchError.OldFormat => "A produce request must carry record batches of format 2.",
        RecordBatchError.UnknownFormat => "The format of the record batch is unknown.",
        RecordBatchError.TooLarge => "The batch is larger than max.message.bytes of the topic allows.",
        RecordBatchError.CorruptChecksum => "The checksum of the record batch does not match.",
        RecordBatchError.CodecNotAllowed => "zstd needs Produce version 7 or later.",
        RecordBatchError.UnknownCodec => "The compression codec is unknown.",
        RecordBatchError.InconsistentOffsets => "The offsets of the records are not consecutive from 0.",
        RecordBatchError.ControlBatch => "Clients must not write control batches.",
        RecordBatchError.DeleteHorizon => "Clients must not set a delete horizon.",
        RecordBatchError.MissingSequence => "An idempotent producer's batch needs an epoch and a sequence number.",
        RecordBatchError.LogAppendTimeByClient => "Clients must not set the timestamp type to LogAppendTime.",
        RecordBatchError.Undecodable => "The records cannot be decompressed, or not by every client.",
        RecordBatchError.DecompressedTooLarge => "The records are too large when decompressed.",
        RecordBatchError.OutOfMemory => "There was no memory to decompress or to compress the records; nothing was written.",
        RecordBatchError.MalformedRecord => "The record is malformed.",
        RecordBatchError.MissingKey => "A compacted topic cannot take a record without a key.",
        RecordBatchError.TimestampOutOfRange => "The timestamp is out of the range that the topic allows around the present.",
    };
}
