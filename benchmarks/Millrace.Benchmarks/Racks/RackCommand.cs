using System.CommandLine;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Racks;

/// <summary>
/// <c>./bench racks</c>: a broker and readers in each of two racks, and a producer in one: what crosses, and how long readers of each wait for records.
/// </summary>
internal static class RackCommand
{
    public static Command Create()
    {
        var partitions = new Option<int>("--partitions") { Description = "Of the topic, all led in the first rack.", DefaultValueFactory = _ => 4 };
        var readers = new Option<int>("--readers") { Description = "In each rack; each reads all partitions.", DefaultValueFactory = _ => 1 };
        var load = new Option<double>("--load") { Description = "Records per second.", DefaultValueFactory = _ => 5_000 };
        var record = new Option<int>("--record") { Description = "Bytes of a record; at least 8.", DefaultValueFactory = _ => 1_000 };
        var seconds = new Option<double>("--seconds") { Description = "How long.", DefaultValueFactory = _ => 20 };
        var settings = new Option<string[]>("--set") { Description = "Settings of both brokers.", DefaultValueFactory = _ => [] };
        var store = new Option<string?>("--store") { Description = "The bucket, empty; otherwise a directory." };
        var command = new Command("racks", "Consumers read in their own rack: what crosses for each byte that they read, and how long they wait for it.")
        {
            partitions, readers, load, record, seconds, settings, store,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = new ScratchFolder();
            using var cluster = new ClusterUnderTest(
                folder.Path,
                parsed.GetValue(store) ?? $"file://{folder.Path}/store",
                brokers: RackRun.Racks.Length,
                logLevel: "warning",
                settings: [ClusterUnderTest.Unbalanced, .. parsed.GetValue(settings) ?? []],
                racks: RackRun.Racks);
            await new RackRun(
                cluster,
                parsed.GetValue(partitions),
                parsed.GetValue(readers),
                new WriterOptions(parsed.GetValue(load), RecordBytes: parsed.GetValue(record))).MeasureAsync(TimeSpan.FromSeconds(parsed.GetValue(seconds)));
        });
        return command;
    }
}
