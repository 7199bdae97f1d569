using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic alter NAME… --set KEY=VALUE… --unset KEY…</c></summary>
[Example("millrace topic alter orders --set retention.ms=604800000 --unset segment.bytes", "One config set, one put back to its default")]
internal sealed class TopicAlterCommand : ClientCommand
{
    private readonly Argument<string[]> _names = new("name") { Description = "The topics to change", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string[]> _set = new("--set") { Description = "A topic config to set, KEY=VALUE; may be repeated", HelpName = "KEY=VALUE" };

    private readonly Option<string[]> _unset = new("--unset") { Description = "A topic config to put back to its default; may be repeated", HelpName = "KEY" };

    public TopicAlterCommand()
        : base("alter", "Change topic configs")
    {
        _names.CompletionSources.AddTopics(Client);
        Arguments.Add(_names);
        Options.Add(_set);
        Options.Add(_unset);
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var set = KeyValue.ParseAll(result.GetValue(_set), "--set").ToList();
        List<ConfigEntry> changes =
        [
            .. set.Select(pair => new ConfigEntry { Name = pair.Key, Value = pair.Value, IncrementalOperation = AlterConfigOpType.Set }),
            .. (result.GetValue(_unset) ?? [])
                .Select(key => new ConfigEntry { Name = key, IncrementalOperation = AlterConfigOpType.Delete }),
        ];
        if (changes.Count == 0)
        {
            throw new CommandFailedException(ExitCode.Usage, "Nothing to change: give --set KEY=VALUE or --unset KEY.");
        }

        using var admin = Client.Admin(result);
        var names = result.GetValue(_names)!;
        foreach (var name in names)
        {
            await ConfigNames.CheckAsync(
                admin, new ConfigResource { Type = ResourceType.Topic, Name = name }, changes.Select(change => change.Name), Client.Timeout(result));
        }

        await admin.IncrementalAlterConfigsAsync(
            names.ToDictionary(name => new ConfigResource { Type = ResourceType.Topic, Name = name }, _ => changes),
            new IncrementalAlterConfigsOptions { RequestTimeout = Client.Timeout(result) });

        var report = new Report("Topic", "Changed");
        foreach (var name in names)
        {
            report.Add(name, true);
        }

        report.Write(Client.Json(result));
        CleaningNote.Write(Client.Json(result), set);
        return ExitCode.Success;
    }
}
