using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;

namespace Millrace.Broker.Apis.Data;

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

    public PendingAppend Pending;

    /// <summary>The outcome stands in <see cref="Error"/>. Until then it is not known.</summary>
    public bool Settled;

    /// <summary>What to answer now.</summary>
    public readonly PartitionError Outcome => Volatile.Read(in Settled) ? Error : PartitionError.TimedOut;
}
