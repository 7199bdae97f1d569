using Millrace.Broker.Errors;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker.Partitions.Intake;

/// <summary>A record batch that was found to be in order, ready to be appended.</summary>
/// <param name="Bytes">
/// The whole batch, a part of <paramref name="Buffer"/>. The partition writes offset, epoch and, where the topic wants it,
/// the time into it.
/// </param>
/// <param name="Buffer">The memory's holder; the caller keeps its own hold until the append has begun.</param>
/// <param name="Count">Its records; as many offsets.</param>
/// <param name="MaxTimestamp">Milliseconds since the Unix epoch; -1 if none.</param>
/// <param name="ProducerId">-1 unless the producer is idempotent.</param>
/// <param name="ProducerEpoch">-1 unless the producer is idempotent.</param>
/// <param name="BaseSequence">-1 unless the producer is idempotent.</param>
/// <param name="StampsAppendTime">The append time replaces the batch's timestamps.</param>
internal readonly record struct ProducedBatch(
    Memory<byte> Bytes,
    PooledBuffer Buffer,
    int Count,
    long MaxTimestamp,
    long ProducerId,
    short ProducerEpoch,
    int BaseSequence,
    bool StampsAppendTime)
{
    public bool IsIdempotent => ProducerId >= 0;

    /// <summary>
    /// What it is refused with unless the partition knows that it is its producer's next: another one before it was refused to the same connection, and has
    /// not come again by it.
    /// </summary>
    public PartitionError Behind { get; init; }

    /// <summary>A batch that the broker itself has put together: no producer stands behind it, and its times stay.</summary>
    public static ProducedBatch OfBroker(PooledBuffer buffer, int count, long maxTimestamp) =>
        new(buffer.Memory, buffer, count, maxTimestamp, ProducerId: -1, ProducerEpoch: -1, BaseSequence: -1, StampsAppendTime: false);
}
