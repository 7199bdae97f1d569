using System.CommandLine;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Rolling;

/// <summary>
/// <c>./bench rolling</c>: all brokers are restarted under load, one after another, as <c>millrace cluster restart-plan</c> says; how long each step takes,
/// and how long partitions acknowledge nothing meanwhile.
/// </summary>
internal static class RollingCommand
{
    public static Command Create()
    {
        var brokers = new Option<int>("--brokers") { Description = "How many.", DefaultValueFactory = _ => 5 };
        var topics = new Option<int>("--topics") { Description = "Each with a producer and a group that reads it.", DefaultValueFactory = _ => 4 };
        var partitions = new Option<int>("--partitions") { Description = "Of each topic.", DefaultValueFactory = _ => 50 };
        var load = new Option<double>("--load") { Description = "Records per second to each topic.", DefaultValueFactory = _ => 1_000 };
        var record = new Option<int>("--record") { Description = "Bytes of a record.", DefaultValueFactory = _ => 1_000 };
        var pause = new Option<double>("--pause") { Description = "Seconds between two brokers.", DefaultValueFactory = _ => 5 };
        var backoff = new Option<double?>("--retry-backoff")
        {
            Description = "Milliseconds before a producer sends again what was refused; otherwise its own default, 100.",
        };
        var store = new Option<string?>("--store") { Description = "The bucket, empty; otherwise a directory." };
        var command = new Command("rolling", "All brokers are drained, restarted and given their share back under load, one after another: what clients see.")
        {
            brokers, topics, partitions, load, record, pause, backoff, store,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = new ScratchFolder();
            using var cluster = new ClusterUnderTest(
                folder.Path, parsed.GetValue(store) ?? $"file://{folder.Path}/store", parsed.GetValue(brokers), logLevel: "warning");
            var writing = new WriterOptions(
                parsed.GetValue(load),
                RecordBytes: parsed.GetValue(record),
                RetryBackoff: parsed.GetValue(backoff) is { } wait ? TimeSpan.FromMilliseconds(wait) : null);
            await new RollingRun(
                cluster, parsed.GetValue(topics), parsed.GetValue(partitions), TimeSpan.FromSeconds(parsed.GetValue(pause)), writing).MeasureAsync();
        });
        return command;
    }
}
