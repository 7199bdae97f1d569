using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic describe NAME [--configs]</c></summary>
[Example("millrace topic describe orders", "Its partitions, who leads them, and their offsets")]
[Example("millrace topic describe orders --configs --all", "Its configs, and where their values come from")]
internal sealed class TopicDescribeCommand : ClientCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The topic" };

    private readonly Option<bool> _configs = new("--configs", "-c") { Description = "Show the topic's configs instead of its partitions" };

    private readonly Option<bool> _all = new("--all") { Description = "With --configs: defaults too" };

    public TopicDescribeCommand()
        : base("describe", "Show a topic's partitions and their offsets, or its configs")
    {
        _name.CompletionSources.AddTopics(Client);
        Arguments.Add(_name);
        Options.Add(_configs);
        Options.Add(_all);
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var name = result.GetValue(_name)!;
        var report = result.GetValue(_configs) ? await ConfigsAsync(admin, name, result) : await PartitionsAsync(admin, name, result);
        report.Write(Client.Json(result));
        if (report.IsEmpty)
        {
            Messages.Note(Client.Json(result), $"Topic '{name}' has no configs of its own; --all shows the defaults.");
        }

        return ExitCode.Success;
    }

    private async Task<Report> PartitionsAsync(IAdminClient admin, string name, ParseResult result)
    {
        var described = await admin.DescribeTopicsAsync(
            TopicCollection.OfTopicNames([name]), new DescribeTopicsOptions { RequestTimeout = Client.Timeout(result) });
        var partitions = described.TopicDescriptions[0].Partitions;
        var first = await OffsetsAsync(admin, name, partitions, OffsetSpec.Earliest(), result);
        var last = await OffsetsAsync(admin, name, partitions, OffsetSpec.Latest(), result);
        var report = new Report("Topic", "Partition", "Leader", "Replicas", "In sync", "Log start offset", "High watermark");
        foreach (var partition in partitions)
        {
            report.Add(
                name, partition.Partition, partition.Leader?.Id, NodeIds(partition.Replicas), NodeIds(partition.ISR),
                first.GetValueOrDefault(partition.Partition), last.GetValueOrDefault(partition.Partition));
        }

        return report;
    }

    private async Task<Dictionary<int, long?>> OffsetsAsync(
        IAdminClient admin, string topic, IEnumerable<TopicPartitionInfo> partitions, OffsetSpec spec, ParseResult result)
    {
        // A partition that nobody leads right now has no answer, and need not hide the others'.
        var led = partitions.Where(partition => partition.Leader is not null)
            .Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(topic, partition.Partition), OffsetSpec = spec })
            .ToList();
        if (led.Count == 0)
        {
            return [];
        }

        var listed = await admin.ListOffsetsAsync(led, new ListOffsetsOptions { RequestTimeout = Client.Timeout(result) });
        return listed.ResultInfos.ToDictionary(
            info => info.TopicPartitionOffsetError.Partition.Value, info => (long?)info.TopicPartitionOffsetError.Offset.Value);
    }

    private async Task<Report> ConfigsAsync(IAdminClient admin, string name, ParseResult result)
    {
        var described = await admin.DescribeConfigsAsync(
            [new ConfigResource { Type = ResourceType.Topic, Name = name }], new DescribeConfigsOptions { RequestTimeout = Client.Timeout(result) });
        var report = new Report("Topic", "Config", "Value", "Source");
        foreach (var entry in described[0].Entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (result.GetValue(_all) || !entry.IsDefault)
            {
                report.Add(name, entry.Name, entry.IsSensitive ? null : entry.Value, entry.Source.ToString());
            }
        }

        return report;
    }

    private static System.Text.Json.Nodes.JsonArray NodeIds(IEnumerable<Node> nodes) =>
        new([.. nodes.Select(node => (System.Text.Json.Nodes.JsonNode)node.Id)]);
}
