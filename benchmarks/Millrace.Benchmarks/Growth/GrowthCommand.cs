using System.CommandLine;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Growth;

/// <summary>
/// <c>./bench growth</c>: what more and more partitions cost a cluster at rest, and what it costs to move some of them: memory of each broker, seconds,
/// bytes of the metadata log, requests to the controller.
/// </summary>
internal static class GrowthCommand
{
    public static Command Create()
    {
        var brokers = new Option<int>("--brokers") { Description = "How many.", DefaultValueFactory = _ => 3 };
        var partitions = new Option<int[]>("--partitions")
        {
            Description = "How many, each time in a new cluster; 100000 takes some minutes.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [1_000, 10_000],
        };
        var topic = new Option<int>("--topic-partitions") { Description = "Of a topic; one topic moves.", DefaultValueFactory = _ => 1_000 };
        var moves = new Option<int>("--moves") { Description = "How often that goes from one broker to another.", DefaultValueFactory = _ => 5 };
        var settle = new Option<double>("--settle") { Description = "Seconds before memory is looked at.", DefaultValueFactory = _ => 10 };
        var command = new Command("growth", "More and more partitions on a cluster in a directory: memory, time to open, and what moves cost the metadata.")
        {
            brokers, partitions, topic, moves, settle,
        };
        command.SetAction(async (parsed, _) =>
        {
            Console.WriteLine(GrowthRun.Head);
            foreach (var count in parsed.GetValue(partitions)!)
            {
                using var folder = new ScratchFolder();
                var store = Path.Combine(folder.Path, "store");
                using var cluster = new ClusterUnderTest(
                    folder.Path, $"file://{store}", parsed.GetValue(brokers), logLevel: "warning", settings: [ClusterUnderTest.Unbalanced]);
                await new GrowthRun(cluster, new MetadataLogFolder(store), count, parsed.GetValue(topic), TimeSpan.FromSeconds(parsed.GetValue(settle)))
                    .MeasureAsync(parsed.GetValue(moves));
            }
        });
        return command;
    }
}
