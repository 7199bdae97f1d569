using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic add-partitions NAME --to N</c></summary>
[Example("millrace topic add-partitions orders --to 24", "Twenty-four in all")]
internal sealed class TopicAddPartitionsCommand : ClientCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The topic" };

    private readonly Option<int> _to = new("--to") { Description = "How many partitions it shall have in all", Required = true, HelpName = "N" };

    public TopicAddPartitionsCommand()
        : base("add-partitions", "Give a topic more partitions; keys then map to other partitions than before")
    {
        _name.CompletionSources.AddTopics(Client);
        Arguments.Add(_name);
        Options.Add(_to);
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var name = result.GetValue(_name)!;
        await admin.CreatePartitionsAsync(
            [new PartitionsSpecification { Topic = name, IncreaseTo = result.GetValue(_to) }],
            new CreatePartitionsOptions { RequestTimeout = Client.Timeout(result) });
        new Report("Topic", "Partitions").Add(name, result.GetValue(_to)).Write(Client.Json(result));
        return ExitCode.Success;
    }
}
