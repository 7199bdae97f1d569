using System.Buffers;
using Millrace.Protocol;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>A batch on its way to one partition.</summary>
/// <param name="Partition">Where it goes; where its records were numbered, if it goes nowhere.</param>
/// <param name="Records">Their numbers.</param>
/// <param name="Bytes">The batch, as the client sends it; the broker has a copy.</param>
/// <param name="Flaw">Why it must be refused, if it must.</param>
internal sealed record SentBatch(PartitionOracle Partition, int[] Records, byte[] Bytes, BatchFlaw Flaw)
{
    /// <summary>No topic here has as many.</summary>
    private const int NoPartition = TopicOracle.MostPartitions;

    /// <summary>Its topic's deletion had been acknowledged when it was sent.</summary>
    public bool IsForDeleted { get; } = Partition.Topic.IsDeleted;

    public int Index => Flaw == BatchFlaw.UnknownPartition ? NoPartition : Partition.Partition;

    public ProduceRequest.PartitionProduceData Data => new() { Index = Index, Records = new ReadOnlySequence<byte>(Bytes) };
}
