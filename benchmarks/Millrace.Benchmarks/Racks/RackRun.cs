using System.Diagnostics;
using Confluent.Kafka;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Racks;

/// <summary>A topic that is led in one rack and read in two.</summary>
internal sealed class RackRun(ClusterUnderTest cluster, int partitions, int readers, WriterOptions writing)
{
    private const string Topic = "racked";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <summary>The first has the leader and the producer.</summary>
    public static readonly string[] Racks = ["a", "b"];

    public async Task MeasureAsync(TimeSpan length)
    {
        cluster.CreateTopic(Topic, partitions, replicas: [0, 1]);
        cluster.WaitForLeaders(Topic, partitions, Limit);
        var all = Array.ConvertAll(
            Racks, rack => Enumerable.Range(0, readers).Select(_ => new RackReader(cluster.BootstrapServers, Topic, partitions, rack)).ToArray());
        using var stopping = new CancellationTokenSource();
        try
        {
            var writer = Task.Run(() => WriteAsync(stopping.Token));
            await Task.Delay(WarmUp);
            foreach (var reader in all.SelectMany(of => of))
            {
                reader.Take();
            }

            var before = (Crossed: Sum("millrace_rack_crossing_bytes_total"), Read: Sum("millrace_bytes_out_total"));
            await Task.Delay(length);
            var after = (Crossed: Sum("millrace_rack_crossing_bytes_total"), Read: Sum("millrace_bytes_out_total"));
            var waits = Array.ConvertAll(all, of => new Sample(of.SelectMany(reader => reader.Take())));
            await stopping.CancelAsync();
            var written = await writer;
            foreach (var reader in all.SelectMany(of => of))
            {
                reader.Finish(written, Limit);
            }

            Console.WriteLine(FormattableString.Invariant(
                $"{partitions} partitions led in one of two racks, {writing.RecordsPerSecond:F0} records of {writing.RecordBytes} bytes a second, {readers} ")
                + "readers in each; from sending a record to having it read, in ms:\n");
            Console.WriteLine(Sample.Head);
            Console.WriteLine(waits[0].Row("in the leader's rack"));
            Console.WriteLine(waits[1].Row("in the other"));
            var (crossed, read) = (after.Crossed - before.Crossed, after.Read - before.Read);
            Console.WriteLine(FormattableString.Invariant($"\n{crossed / read:F4} bytes crossed for each byte that was read, of {read / 1e6:F0} MB. ")
                + $"{written} records: each reader got each once, and in order.");
        }
        finally
        {
            await stopping.CancelAsync();
            Array.ForEach(all, static of => Array.ForEach(of, static reader => reader.Dispose()));
        }
    }

    /// <returns>How many records were written and acknowledged.</returns>
    private async Task<long> WriteAsync(CancellationToken stopping)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = cluster.BootstrapServers, EnableIdempotence = true, LingerMs = 0,
        }).SetLogHandler((_, _) => { }).Build();
        var (clock, sent, acknowledged) = (Stopwatch.StartNew(), 0L, 0L);
        while (!stopping.IsCancellationRequested)
        {
            for (var due = (long)(clock.Elapsed.TotalSeconds * writing.RecordsPerSecond); sent < due; sent++)
            {
                producer.Produce(
                    new TopicPartition(Topic, (int)(sent % partitions)),
                    new Message<Null, byte[]> { Value = RackReader.Stamp(writing.RecordBytes) },
                    report => acknowledged += report.Error.IsError ? 0 : 1);
            }

            await Task.Delay(1, CancellationToken.None);
        }

        producer.Flush(Limit);
        return acknowledged == sent ? sent : throw new InvalidOperationException($"{acknowledged} of {sent} records were acknowledged");
    }

    private double Sum(string metric) => cluster.Metrics().Where(known => known.Name == metric).Sum(known => known.Value);
}
