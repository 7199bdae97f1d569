using System.Diagnostics;
using Confluent.Kafka;
using Millrace.Benchmarks.Failover;
using Millrace.Controller.Log;
using Millrace.Streams.Objects;

namespace Millrace.Benchmarks.Trickle;

/// <summary>A cluster under a little load to many partitions, looked at again and again.</summary>
/// <param name="cluster">A new one.</param>
/// <param name="store">Its bucket, a directory.</param>
/// <param name="partitions">How many there are.</param>
/// <param name="load">What is written.</param>
internal sealed class TrickleRun(ClusterUnderTest cluster, string store, int partitions, WriterOptions load)
{
    private const string Topic = "trickle";
    private const int Looks = 10;

    public async Task MeasureAsync(TimeSpan length)
    {
        cluster.CreateTopic(Topic, partitions);
        using var writer = new SteadyWriter(cluster.BootstrapServers, Topic, partitions, load);
        Console.WriteLine(
            "| after, s | records | data objects | of MB | ranges that owners know | gave way to merged ones | metadata, MB | controller, MB | others, MB |\n"
            + "|---|---|---|---|---|---|---|---|---|");
        var began = Stopwatch.GetTimestamp();
        for (var look = 1; look <= Looks; look++)
        {
            await Task.Delay((length * look / Looks) - Stopwatch.GetElapsedTime(began));
            Print(Stopwatch.GetElapsedTime(began), writer.Count);
        }

        writer.Finish();
        Console.WriteLine($"\n{partitions / 2}th partition read from its start: {Read(partitions / 2)}");
        LogCheck.Check(cluster.BootstrapServers, Topic, partitions, writer);
        Console.WriteLine($"{writer.Count} records: each acknowledged one is in the log once, in order, and nothing else is.");
    }

    private void Print(TimeSpan after, long records)
    {
        var (objects, bytes) = Count(DataObjectKey.Prefix);
        var metadata = Count(MetadataLog.Prefix).Bytes;
        var controller = cluster.Controller();
        var metrics = cluster.Metrics().ToList();
        var others = Enumerable.Range(0, cluster.Count).Where(index => index != controller)
            .Select(index => FormattableString.Invariant($"{cluster.ResidentMegabytes(index):F0}")).Order(StringComparer.Ordinal);
        Console.Write(FormattableString.Invariant($"| {after.TotalSeconds:F0} | {records} | {objects} | {bytes / 1e6:F0} | {Sum("millrace_streams_ranges")} "));
        Console.WriteLine(FormattableString.Invariant(
            $"| {Sum("millrace_compaction_ranges_total")} | {metadata / 1e6:F1} | {cluster.ResidentMegabytes(controller):F0} | {string.Join(", ", others)} |"));

        double Sum(string name) => metrics.Where(metric => metric.Name == name).Sum(metric => metric.Value);
    }

    /// <summary>What lies below a prefix now; what goes meanwhile is not counted.</summary>
    private (int Files, long Bytes) Count(string prefix)
    {
        var (files, bytes) = (0, 0L);
        foreach (var file in new DirectoryInfo(Path.Combine(store, prefix)).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            try
            {
                bytes += file.Length;
                files++;
            }
            catch (FileNotFoundException)
            {
                // It was deleted since it was listed.
            }
        }

        return (files, bytes);
    }

    /// <summary>Reads one partition as a consumer does that begins at its start.</summary>
    private string Read(int partition)
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = cluster.BootstrapServers,
            GroupId = "trickle",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(new TopicPartitionOffset(Topic, partition, Offset.Beginning));
        var (records, bytes, began, last) = (0L, 0L, 0L, 0L);
        while (consumer.Consume(TimeSpan.FromSeconds(60)) is { IsPartitionEOF: false } result)
        {
            // From the first record to the last: finding the leader is no part of it, nor waiting for more at the end.
            last = Stopwatch.GetTimestamp();
            began = began == 0 ? last : began;
            records++;
            bytes += result.Message.Value.Length;
        }

        var seconds = Stopwatch.GetElapsedTime(began, last).TotalSeconds;
        return FormattableString.Invariant($"{records} records in {seconds * 1e3:F0} ms, {records / seconds:F0} a second, {bytes / seconds / 1e6:F2} MB/s");
    }
}
