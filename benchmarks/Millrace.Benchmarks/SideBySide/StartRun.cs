using System.Diagnostics;
using Confluent.Kafka;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>From starting the program on an empty directory to the first acknowledged record.</summary>
internal static class StartRun
{
    /// <returns>Seconds to the first acknowledged record, and megabytes of resident memory after some idle seconds.</returns>
    public static (double Seconds, double IdleMegabytes) Measure(Func<BrokerUnderTest> start)
    {
        var clock = Stopwatch.StartNew();
        using var broker = start();
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = broker.BootstrapServers,
            LingerMs = 0,
            ReconnectBackoffMs = 5,
            TopicMetadataRefreshFastIntervalMs = 5,
            RetryBackoffMs = 5,
        }).Build();
        producer.ProduceAsync("first", new Message<Null, byte[]> { Value = [1] }).Wait();
        var seconds = clock.Elapsed.TotalSeconds;
        Thread.Sleep(TimeSpan.FromSeconds(5));
        return (seconds, broker.ResidentMegabytes);
    }
}
