using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Purgatory;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Data;

/// <summary>One partition of a fetch: what is wanted of it, and what it gave.</summary>
internal sealed class FetchedPartition(PartitionLookup lookup, FetchRequest.FetchPartition wanted)
{
    public PartitionLookup Lookup => lookup;

    public FetchRequest.FetchPartition Wanted => wanted;

    /// <summary>How far the partition was before it was read: from here a wait counts.</summary>
    public ProgressMark Mark { get; set; }

    /// <summary>The bytes that the last read might take.</summary>
    public int Room { get; set; }

    public PartitionRead Read { get; set; } = PartitionRead.Failed(lookup.Error);
}
