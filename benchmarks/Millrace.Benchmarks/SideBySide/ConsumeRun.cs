using System.Diagnostics;
using Confluent.Kafka;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>Reads a whole topic from its beginning as fast as librdkafka and the broker together can.</summary>
internal static class ConsumeRun
{
    public static Throughput Measure(BrokerUnderTest broker, string topic, int partitions, int recordBytes, long totalBytes)
    {
        var records = totalBytes / recordBytes;
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = broker.BootstrapServers,
            GroupId = "unused",
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            FetchMaxBytes = 50 << 20,
            MaxPartitionFetchBytes = 4 << 20,
            QueuedMinMessages = 200_000,
            QueuedMaxMessagesKbytes = 256 * 1024,
            CheckCrcs = false,
            ConsumeResultFields = "none",
        }).Build();
        broker.ResetPeak();
        var cpu = broker.CpuSeconds;
        var clock = Stopwatch.StartNew();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (var received = 0L; received < records; received++)
        {
            if (consumer.Consume(TimeSpan.FromSeconds(60)) is null)
            {
                throw new TimeoutException($"{broker.Name}: only {received} of {records} records came");
            }
        }

        var seconds = clock.Elapsed.TotalSeconds;
        var gigabytes = records * recordBytes / 1e9;
        return new Throughput(gigabytes * 1000 / seconds, (broker.CpuSeconds - cpu) / gigabytes, broker.PeakMegabytes);
    }
}
