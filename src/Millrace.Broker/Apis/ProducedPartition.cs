using Millrace.Broker.Partitions;
using Millrace.Runtime;

namespace Millrace.Broker.Apis;

/// <summary>One partition of a produce request on its way.</summary>
internal struct ProducedPartition
{
    public PartitionLookup Lookup;

    /// <summary>None as long as nothing is wrong.</summary>
    public PartitionError Error;

    /// <summary>What to say about a batch that is not in order.</summary>
    public BatchRefusal? Refusal;

    /// <summary>The batch's records and bytes, as they are stored.</summary>
    public int Records;

    public int Bytes;

    /// <summary>Parked until it has its offsets.</summary>
    public ValueTask<PendingAppend> Beginning;

    /// <summary>The batch's memory, where it is not the request's own; released when the append has begun.</summary>
    public PooledBuffer? Recompressed;

    public PendingAppend Pending;

    /// <summary>The outcome stands in <see cref="Error"/>. Until then it is not known.</summary>
    public bool Settled;

    /// <summary>What to answer now.</summary>
    public readonly PartitionError Outcome => Volatile.Read(in Settled) ? Error : PartitionError.TimedOut;
}
