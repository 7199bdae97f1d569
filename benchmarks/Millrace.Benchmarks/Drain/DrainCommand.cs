using System.CommandLine;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Drain;

/// <summary>
/// <c>./bench drain</c>: a broker that leads many partitions and coordinates all groups is drained under load; how long that takes, and what producers and
/// members of groups see of it.
/// </summary>
internal static class DrainCommand
{
    public static Command Create()
    {
        var topics = new Option<int>("--topics") { Description = "Each with a producer and a group that reads it.", DefaultValueFactory = _ => 10 };
        var partitions = new Option<int>("--partitions") { Description = "Of all topics together, led by the broker.", DefaultValueFactory = _ => 2_000 };
        var shards = new Option<int>("--shards") { Description = "Partitions of __consumer_offsets, all led by it.", DefaultValueFactory = _ => 20 };
        var groups = new Option<int>("--groups") { Description = "Groups that only have offsets.", DefaultValueFactory = _ => 500 };
        var offsets = new Option<int>("--offsets") { Description = "Of all those groups together.", DefaultValueFactory = _ => 1_000_000 };
        var members = new Option<int>("--members")
        {
            Description = "Further groups of one member each, with sessions of 6 s, which commit every 100 ms.",
            DefaultValueFactory = _ => 20,
        };
        var load = new Option<double>("--load") { Description = "Records per second to each topic.", DefaultValueFactory = _ => 400 };
        var backoff = new Option<double?>("--retry-backoff")
        {
            Description = "Milliseconds before a producer sends again what was refused; otherwise its own default, 100.",
        };
        var limit = new Option<double>("--timeout") { Description = "Seconds that the drain may take.", DefaultValueFactory = _ => 300 };
        var store = new Option<string?>("--store") { Description = "The bucket, empty; otherwise a directory." };
        var command = new Command("drain", "A broker that leads much and coordinates all groups is drained under load: how long that takes, and who notices.")
        {
            topics, partitions, shards, groups, offsets, members, load, backoff, limit, store,
        };
        command.Validators.Add(result =>
        {
            // Where help is asked for, options have no values.
            if (result.GetValue(offsets) > (long)result.GetValue(partitions) * result.GetValue(groups))
            {
                result.AddError("A group has no more offsets than there are partitions: more --groups, or fewer --offsets.");
            }
        });
        command.SetAction(async (parsed, _) =>
        {
            var options = new DrainOptions(
                parsed.GetValue(topics),
                parsed.GetValue(partitions),
                parsed.GetValue(shards),
                parsed.GetValue(groups),
                parsed.GetValue(offsets),
                parsed.GetValue(members),
                TimeSpan.FromSeconds(parsed.GetValue(limit)),
                new WriterOptions(
                    parsed.GetValue(load), RetryBackoff: parsed.GetValue(backoff) is { } wait ? TimeSpan.FromMilliseconds(wait) : null));
            using var folder = new ScratchFolder();
            using var cluster = new ClusterUnderTest(
                folder.Path,
                parsed.GetValue(store) ?? $"file://{folder.Path}/store",
                brokers: 3,
                logLevel: "warning",
                settings: [ClusterUnderTest.Unbalanced, $"offsets.topic.num.partitions={options.Shards}"]);
            await new DrainRun(cluster, options).MeasureAsync();
        });
        return command;
    }
}
