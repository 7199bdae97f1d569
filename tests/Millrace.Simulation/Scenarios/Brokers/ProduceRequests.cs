using System.Buffers;
using Millrace.Protocol;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>Makes the produce requests of one batch each that producers send to a partition.</summary>
internal static class ProduceRequests
{
    public const short Version = 8;

    /// <summary>The answer of the one partition.</summary>
    public static ProduceResponse.PartitionProduceResponse Only(ProduceResponse answer) => answer.Responses[0].PartitionResponses[0];

    public static ProduceRequest Of(SimulationKernel kernel, SeededRandom random, int partition, IEnumerable<int> records, RecordBatchBuilder batch)
    {
        foreach (var record in records)
        {
            var timestamp = (SimulationKernel.Epoch + kernel.Now).ToUnixTimeMilliseconds();
            batch.Append(timestamp, (byte[]?)null, PartitionOracle.Value(record, random.Next(500)));
        }

        return new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 10_000,
            TopicData =
            [
                new ProduceRequest.TopicProduceData
                {
                    Name = BrokerWorld.Topic,
                    PartitionData = [new ProduceRequest.PartitionProduceData { Index = partition, Records = new ReadOnlySequence<byte>(batch.Build()) }],
                },
            ],
        };
    }
}
