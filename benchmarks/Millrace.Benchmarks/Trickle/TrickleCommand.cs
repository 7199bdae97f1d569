using System.CommandLine;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Trickle;

/// <summary>
/// <c>./bench trickle</c>: partitions that take little for a long time, at an upload interval so short that minutes stand for hours: objects, ranges, metadata
/// and the controller's memory meanwhile, and how fast one such partition is read in the end.
/// </summary>
internal static class TrickleCommand
{
    public static Command Create()
    {
        var partitions = new Option<int>("--partitions") { Description = "How many.", DefaultValueFactory = _ => 2_000 };
        var minutes = new Option<double>("--minutes") { Description = "How long.", DefaultValueFactory = _ => 10 };
        var interval = new Option<int>("--upload-interval") { Description = "Milliseconds; 10 s and more by default.", DefaultValueFactory = _ => 1_000 };
        var load = new Option<double>("--load") { Description = "Records of 1 KiB a second to all partitions together.", DefaultValueFactory = _ => 2_000 };
        var rate = new Option<long>("--rate") { Description = "Bytes a second that each broker merges; 0 for never.", DefaultValueFactory = _ => 16 << 20 };
        var command = new Command("trickle", "Partitions that take little for long: objects, ranges and metadata over time, with and without merging.")
        {
            partitions, minutes, interval, load, rate,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = new ScratchFolder();
            var store = Path.Combine(folder.Path, "store");
            string[] settings =
            [
                $"millrace.upload.interval.ms={parsed.GetValue(interval)}",
                $"millrace.upload.interval.max.ms={parsed.GetValue(interval)}",
                $"millrace.compaction.bytes.per.second={parsed.GetValue(rate)}",
                "millrace.compaction.interval.ms=1000",
                "millrace.object.deletion.delay.ms=30000",
            ];
            using var cluster = new ClusterUnderTest(folder.Path, $"file://{store}", brokers: 3, logLevel: "warning", settings: settings);
            await new TrickleRun(cluster, store, parsed.GetValue(partitions), new WriterOptions(parsed.GetValue(load), RecordBytes: 1_024))
                .MeasureAsync(TimeSpan.FromMinutes(parsed.GetValue(minutes)));
        });
        return command;
    }
}
