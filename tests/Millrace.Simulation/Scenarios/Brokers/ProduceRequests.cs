using Millrace.Protocol;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>Makes the produce requests that producers send.</summary>
internal static class ProduceRequests
{
    private static readonly int[] ShortTimeouts = [-1, 0, 1, 5, 50];

    /// <summary>The answer of the one partition.</summary>
    public static ProduceResponse.PartitionProduceResponse Only(ProduceResponse answer) => answer.Responses[0].PartitionResponses[0];

    /// <summary>A request of some batches, no two of one partition.</summary>
    public static ProduceRequest Of(IEnumerable<SentBatch> batches, short acks, int timeoutMs) => new()
    {
        Acks = acks,
        TimeoutMs = timeoutMs,
        TopicData = [.. batches.GroupBy(batch => batch.Partition.Topic).Select(topic => new ProduceRequest.TopicProduceData
        {
            Name = topic.Key.Name,
            TopicId = topic.Key.Id,
            PartitionData = [.. topic.Select(batch => batch.Data)],
        })],
    };

    /// <summary>Mostly patient.</summary>
    public static int Timeout(SeededRandom random) => random.Chance(0.25) ? random.Pick(ShortTimeouts) : 10_000;
}
