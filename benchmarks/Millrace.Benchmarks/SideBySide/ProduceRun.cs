using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>Writes records as fast as librdkafka and the broker together can, acks=all.</summary>
internal static class ProduceRun
{
    private const int MaxInQueue = 400_000;

    public static Throughput Measure(BrokerUnderTest broker, string topic, int partitions, int recordBytes, long totalBytes)
    {
        CreateTopic(broker, topic, partitions);
        var records = totalBytes / recordBytes;
        long delivered = 0;
        string? failure = null;
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = broker.BootstrapServers,
            Acks = Acks.All,
            LingerMs = 5,
            BatchSize = 1_000_000,
            QueueBufferingMaxKbytes = 512 * 1024,
            QueueBufferingMaxMessages = MaxInQueue,
            DeliveryReportFields = "status",
            // Every partition equally; librdkafka's sticky partitioner would fill one after the other.
            StickyPartitioningLingerMs = 0,
        }).Build();

        var value = new byte[recordBytes];
        new Random(1).NextBytes(value);
        broker.ResetPeak();
        var cpu = broker.CpuSeconds;
        var clock = Stopwatch.StartNew();
        for (var i = 0L; i < records; i++)
        {
            var destination = new TopicPartition(topic, (int)(i % partitions));
            while (!TryProduce(destination))
            {
                // The client's own thread serves its callbacks; polling here too would run them on both.
                Thread.Sleep(1);
            }
        }

        producer.Flush();
        var seconds = clock.Elapsed.TotalSeconds;
        if (failure is not null || delivered != records)
        {
            throw new InvalidOperationException($"{broker.Name}: {delivered} of {records} records were acknowledged. {failure}");
        }

        var gigabytes = records * recordBytes / 1e9;
        return new Throughput(gigabytes * 1000 / seconds, (broker.CpuSeconds - cpu) / gigabytes, broker.PeakMegabytes);

        bool TryProduce(TopicPartition destination)
        {
            try
            {
                producer.Produce(destination, new Message<Null, byte[]> { Value = value }, report =>
                {
                    if (report.Error.IsError)
                    {
                        failure ??= report.Error.Reason;
                    }
                    else
                    {
                        // Polling and flushing run callbacks on more than one thread.
                        Interlocked.Increment(ref delivered);
                    }
                });
                return true;
            }
            catch (ProduceException<Null, byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                return false;
            }
        }
    }

    public static void CreateTopic(BrokerUnderTest broker, string topic, int partitions)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 }]).Wait();
    }
}
