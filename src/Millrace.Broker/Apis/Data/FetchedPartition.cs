using Millrace.Broker.Following;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Purgatory;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Apis.Data;

/// <summary>One partition of a fetch: what is wanted of it, and what it gave.</summary>
/// <param name="lookup">What became of looking for it here.</param>
/// <param name="wanted">As the request has it.</param>
/// <param name="followed">It, where it is followed here for this client; null else.</param>
internal sealed class FetchedPartition(PartitionLookup lookup, FetchRequest.FetchPartition wanted, FollowedPartition? followed = null)
{
    public PartitionLookup Lookup => lookup;

    /// <summary>It, where it is followed here for this client; null else.</summary>
    public FollowedPartition? Followed => followed;

    public FetchRequest.FetchPartition Wanted => wanted;

    /// <summary>Where it is read; null where it cannot be read here.</summary>
    public IReadablePartition? Source { get; } = (IReadablePartition?)lookup.Partition ?? followed;

    /// <summary>The broker of its rack that the client is sent to, and given nothing here; null of one that is served here.</summary>
    public NodeId? SentTo { get; init; }

    /// <summary>How far the partition was before it was read: from here a wait counts.</summary>
    public ProgressMark Mark { get; set; }

    /// <summary>The bytes that the last read might take.</summary>
    public int Room { get; set; }

    public PartitionRead Read { get; set; } = PartitionRead.Failed(lookup.Error);
}
