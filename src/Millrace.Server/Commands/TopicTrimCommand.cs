using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic trim NAME [--partition N]… --before OFFSET</c></summary>
[Example("millrace topic trim orders --before end", "Nothing stays")]
[Example("millrace topic trim orders -p 3 --before 1000", "What lies below offset 1000 of partition 3")]
internal sealed class TopicTrimCommand : ClientCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The topic" };

    private readonly Option<int[]> _partitions = new("--partition", "-p")
    {
        Description = "A partition to trim; all if not given; may be repeated",
        HelpName = "N",
    };

    private readonly Option<string> _before = new("--before")
    {
        Description = "Delete the records below this offset; 'end' for all there are",
        Required = true,
        HelpName = "OFFSET",
    };

    public TopicTrimCommand()
        : base("trim", "Delete the oldest records of a topic")
    {
        _name.CompletionSources.AddTopics(Client);
        Arguments.Add(_name);
        Options.Add(_partitions);
        Options.Add(_before);
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [result.GetValue(_name)!];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var name = result.GetValue(_name)!;
        var before = Before(result.GetValue(_before)!);
        var all = await AllPartitionsAsync(admin, name, result);
        var given = result.GetValue(_partitions) ?? [];
        foreach (var missing in given.Except(all).Take(1))
        {
            // The client would wait for its leader without end.
            throw new CommandFailedException(ExitCode.NotFound, $"Topic '{name}' has no partition {missing}; it has {all.Length}.");
        }

        var partitions = given.Length > 0 ? given.Distinct() : all;
        var trimmed = await admin.DeleteRecordsAsync(
            partitions.Select(partition => new TopicPartitionOffset(name, partition, before)),
            new DeleteRecordsOptions { RequestTimeout = Client.Timeout(result) });

        var report = new Report("Topic", "Partition", "Log start offset");
        foreach (var partition in trimmed.OrderBy(item => item.Partition.Value))
        {
            report.Add(partition.Topic, partition.Partition.Value, partition.Offset.Value);
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }

    private static Offset Before(string text) => text == "end"
        ? Offset.End
        : long.TryParse(text, out var offset) && offset >= 0
            ? new Offset(offset)
            : throw new CommandFailedException(ExitCode.Usage, $"--before takes an offset or 'end', not '{text}'.");

    private async Task<int[]> AllPartitionsAsync(IAdminClient admin, string name, ParseResult result)
    {
        var described = await admin.DescribeTopicsAsync(
            TopicCollection.OfTopicNames([name]), new DescribeTopicsOptions { RequestTimeout = Client.Timeout(result) });
        return [.. described.TopicDescriptions[0].Partitions.Select(partition => partition.Partition)];
    }
}
