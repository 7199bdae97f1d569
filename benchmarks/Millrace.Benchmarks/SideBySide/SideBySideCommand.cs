using System.CommandLine;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>
/// <c>./bench kafka</c>: Millrace and Apache Kafka under the same clients, one after the other in one run, so that the
/// ratios hold on a shared and noisy machine.
/// </summary>
internal static class SideBySideCommand
{
    private static readonly (int RecordBytes, int Partitions)[] Shapes = [(1024, 1), (1024, 100), (100, 1), (100, 100)];

    public static Command Create()
    {
        var gigabytes = new Option<double>("--gigabytes")
        {
            Description = "How much is produced in each shape; half of it in records of 100 bytes.",
            DefaultValueFactory = _ => 4,
        };
        var rounds = new Option<int>("--rounds") { Description = "How often everything is measured.", DefaultValueFactory = _ => 1 };
        var only = new Option<string?>("--only") { Description = "One broker alone: millrace or kafka." };
        var shape = new Option<string?>("--shape")
        {
            Description = "One shape alone, and neither start nor latency: record size x partitions, as in 1024x100.",
        };
        shape.AcceptOnlyFromAmong([.. Shapes.Select(NameOf)]);
        only.AcceptOnlyFromAmong("millrace", "kafka");
        var before = new Option<DirectoryInfo>("--before") { Description = "Another checkout of Millrace, as of before a change: measured in the same run." };
        before.AcceptExistingOnly();
        var block = new Option<bool>("--block") { Description = "Millrace also with its WAL on a loop device: needs root." };
        var command = new Command("kafka", "Millrace and Apache Kafka side by side under the same clients: start, memory, throughput, latency.")
        {
            gigabytes, rounds, only, shape, before, block,
        };
        command.SetAction(parsed => Run(
            Brokers(parsed.GetValue(only), parsed.GetValue(before), parsed.GetValue(block)),
            parsed.GetValue(gigabytes),
            parsed.GetValue(rounds),
            parsed.GetValue(shape)));
        return command;
    }

    private static void Run(IReadOnlyList<(string Name, Func<string, BrokerUnderTest> Start)> brokers, double gigabytes, int rounds, string? shape)
    {
        if (!KafkaUnderTest.IsAtHand)
        {
            Console.Error.WriteLine("Apache Kafka is not at hand beside this checkout: only Millrace is measured.");
        }

        for (var round = 1; round <= rounds; round++)
        {
            Console.WriteLine($"## Round {round} of {rounds}\n");
            if (shape is null)
            {
                Starts(brokers);
            }

            Throughputs(gigabytes, brokers, [.. Shapes.Where(known => shape is null || NameOf(known) == shape)]);
            if (shape is null)
            {
                Latencies(brokers);
            }
        }
    }

    private static string NameOf((int RecordBytes, int Partitions) shape) => $"{shape.RecordBytes}x{shape.Partitions}";

    private static void Starts(IReadOnlyList<(string Name, Func<string, BrokerUnderTest> Start)> brokers)
    {
        Console.WriteLine("| broker | start to first acknowledged record, s | idle memory, MB |\n|---|---|---|");
        foreach (var (name, start) in brokers)
        {
            using var folder = new ScratchFolder();
            var (seconds, megabytes) = StartRun.Measure(() => start(folder.Path));
            Console.WriteLine(Invariant($"| {name} | {seconds:F2} | {megabytes:F0} |"));
        }

        Console.WriteLine();
    }

    private static void Throughputs(
        double gigabytes, IReadOnlyList<(string Name, Func<string, BrokerUnderTest> Start)> brokers, (int RecordBytes, int Partitions)[] shapes)
    {
        Console.WriteLine("| record, partitions | broker | produce MB/s | CPU-s/GB | peak MB | consume MB/s | CPU-s/GB | peak MB |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var (recordBytes, partitions) in shapes)
        {
            // Small records cost the client most: fewer bytes are as many records.
            var bytes = (long)(gigabytes * 1e9 * (recordBytes < 1000 ? 0.5 : 1));
            foreach (var (name, start) in brokers)
            {
                using var folder = new ScratchFolder();
                using var broker = start(folder.Path);
                ProduceRun.Measure(broker, "warm-up", partitions, recordBytes, bytes / 10);
                var produced = ProduceRun.Measure(broker, "measured", partitions, recordBytes, bytes);
                var consumed = ConsumeRun.Measure(broker, "measured", partitions, recordBytes, bytes);
                Console.WriteLine(
                    Invariant($"| {recordBytes} B, {partitions} | {name} ")
                    + Invariant($"| {produced.MegabytesPerSecond:F0} | {produced.CpuSecondsPerGigabyte:F2} | {produced.PeakMegabytes:F0} ")
                    + Invariant($"| {consumed.MegabytesPerSecond:F0} | {consumed.CpuSecondsPerGigabyte:F2} | {consumed.PeakMegabytes:F0} |"));
            }
        }

        Console.WriteLine();
    }

    private static void Latencies(IReadOnlyList<(string Name, Func<string, BrokerUnderTest> Start)> brokers)
    {
        Console.WriteLine("| 20 MB/s, linger 0 | p50 ms | p95 | p99 | p99.9 |\n|---|---|---|---|---|");
        foreach (var (name, start) in brokers)
        {
            using var folder = new ScratchFolder();
            using var broker = start(folder.Path);
            var latency = LatencyRun.Measure(broker, "latency", megabytesPerSecond: 20, TimeSpan.FromSeconds(20));
            Console.WriteLine(Invariant($"| {name} | {latency.P50:F1} | {latency.P95:F1} | {latency.P99:F1} | {latency.P999:F1} |"));
        }

        Console.WriteLine();
    }

    private static List<(string Name, Func<string, BrokerUnderTest> Start)> Brokers(string? only, DirectoryInfo? before, bool block)
    {
        var all = new List<(string Name, Func<string, BrokerUnderTest> Start)> { Millrace("Millrace, file WAL", Checkout.Root) };
        if (before is not null)
        {
            all.Add(Millrace("Millrace, before", before.FullName));
        }

        if (block)
        {
            const string Name = "Millrace, WAL on a loop device";
            all.Add((Name, folder => MillraceUnderTest.OnLoop(Name, Checkout.Root, folder)));
        }

        if (KafkaUnderTest.IsAtHand)
        {
            all.Add(("Kafka", folder => new KafkaUnderTest("Kafka", folder, _ => [])));
            all.Add(("Kafka, flush.messages=1", folder => new KafkaUnderTest("Kafka, flush.messages=1", folder, _ => ["log.flush.interval.messages=1"])));
        }

        return [.. all.Where(broker => only is null || broker.Name.StartsWith(only, StringComparison.OrdinalIgnoreCase))];
    }

    private static (string Name, Func<string, BrokerUnderTest> Start) Millrace(string name, string checkout) =>
        (name, folder => new MillraceUnderTest(name, checkout, folder, log: null, prefix: [], "--listen", "127.0.0.1:0"));

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
