using Millrace.Broker.Errors;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Partitions;

/// <summary>What became of looking for a partition on this node.</summary>
/// <param name="Error">None if this node leads it.</param>
/// <param name="Partition">The partition, if this node leads it.</param>
/// <param name="Known">The partition as the cluster knows it, if it exists: who leads it, for clients that came to the wrong node.</param>
internal readonly record struct PartitionLookup(PartitionError Error, Partition? Partition, PartitionImage? Known);
