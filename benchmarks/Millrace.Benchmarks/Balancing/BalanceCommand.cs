using System.CommandLine;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Balancing;

/// <summary>
/// <c>./bench balance</c>: one broker leads all of a topic that does ten times what others do; then a broker joins, one is drained and one is killed: how long
/// it takes until loads are even each time, and what clients see of it.
/// </summary>
internal static class BalanceCommand
{
    public static Command Create()
    {
        var partitions = new Option<int>("--partitions") { Description = "Of each topic.", DefaultValueFactory = _ => 12 };
        var topics = new Option<int>("--topics") { Description = "Beside the busy one.", DefaultValueFactory = _ => 3 };
        var load = new Option<double>("--load")
        {
            Description = "Records per second to the busy topic; a tenth to each of the others.", DefaultValueFactory = _ => 10_000,
        };
        var record = new Option<int>("--record") { Description = "Bytes of a record.", DefaultValueFactory = _ => 1_000 };
        var even = new Option<double>("--even") { Description = "Even is where nobody has more than so many times the mean.", DefaultValueFactory = _ => 1.15 };
        var store = new Option<string?>("--store") { Description = "The bucket, empty; otherwise a directory." };
        var command = new Command("balance", "A cluster evens its loads by itself: a busy topic on one broker; one joins, one is drained, one is killed.")
        {
            partitions, topics, load, record, even, store,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = new ScratchFolder();
            using var cluster = new ClusterUnderTest(folder.Path, parsed.GetValue(store) ?? $"file://{folder.Path}/store", brokers: 3, logLevel: "warning");
            await new BalanceRun(
                cluster,
                parsed.GetValue(topics),
                parsed.GetValue(partitions),
                parsed.GetValue(even),
                new WriterOptions(parsed.GetValue(load), RecordBytes: parsed.GetValue(record))).MeasureAsync();
        });
        return command;
    }
}
