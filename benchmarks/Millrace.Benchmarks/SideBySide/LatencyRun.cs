using System.Diagnostics;
using Confluent.Kafka;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>Writes at a steady rate, each record at once (linger 0), and measures from send to acknowledgement.</summary>
internal static class LatencyRun
{
    private const int RecordBytes = 1024;
    private const int Partitions = 10;

    public static Latency Measure(BrokerUnderTest broker, string topic, double megabytesPerSecond, TimeSpan length)
    {
        ProduceRun.CreateTopic(broker, topic, Partitions);
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = broker.BootstrapServers,
            Acks = Acks.All,
            LingerMs = 0,
            QueueBufferingMaxMessages = 1_000_000,
            DeliveryReportFields = "status",
        }).Build();
        var value = new byte[RecordBytes];
        var perSecond = megabytesPerSecond * 1e6 / RecordBytes;

        // The first seconds warm both sides up and are not counted.
        Send(TimeSpan.FromSeconds(3));
        var milliseconds = new Sample(Send(length));
        return new Latency(milliseconds.At(0.5), milliseconds.At(0.95), milliseconds.At(0.99), milliseconds.At(0.999));

        List<double> Send(TimeSpan time)
        {
            var all = (long)(time.TotalSeconds * perSecond);
            var latencies = new List<double>((int)all);
            var clock = Stopwatch.StartNew();
            for (var sent = 0L; sent < all;)
            {
                for (var due = Math.Min(all, (long)(clock.Elapsed.TotalSeconds * perSecond)); sent < due; sent++)
                {
                    var begun = clock.Elapsed;
                    producer.Produce(new TopicPartition(topic, (int)(sent % Partitions)), new Message<Null, byte[]> { Value = value }, report =>
                    {
                        if (report.Error.IsError)
                        {
                            throw new KafkaException(report.Error);
                        }

                        lock (latencies)
                        {
                            latencies.Add((clock.Elapsed - begun).TotalMilliseconds);
                        }
                    });
                }

                Thread.Sleep(1);
            }

            producer.Flush();
            return latencies;
        }
    }
}
