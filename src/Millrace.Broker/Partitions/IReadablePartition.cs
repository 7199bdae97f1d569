using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Purgatory;

namespace Millrace.Broker.Partitions;

/// <summary>What fetches read from: a partition that this node leads, or one that it follows.</summary>
/// <remarks>Threading: any thread.</remarks>
internal interface IReadablePartition
{
    /// <summary>What has become readable, and who waits for it.</summary>
    PartitionProgress Progress { get; }

    /// <summary>Reads whole batches for a fetch. Does not wait for data.</summary>
    ValueTask<PartitionRead> ReadAsync(PartitionFetch fetch, CancellationToken token);

    /// <summary>A fetch is answered with the batches of a read.</summary>
    void CountOut(in PartitionRead read);
}
