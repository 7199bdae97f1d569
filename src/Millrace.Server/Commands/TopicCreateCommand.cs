using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic create NAME… [--partitions N] [--config KEY=VALUE]…</c></summary>
[Example("millrace topic create orders -p 12 -c retention.ms=86400000", "Twelve partitions, whose records are kept for a day")]
[Example("millrace topic create orders --if-not-exists", "Fine, too, where it is there already")]
internal sealed class TopicCreateCommand : ClientCommand
{
    private readonly Argument<string[]> _names = new("name") { Description = "The topics to create", Arity = ArgumentArity.OneOrMore };

    private readonly Option<int?> _partitions = new("--partitions", "-p")
    {
        Description = "Number of partitions; the broker's num.partitions if not given",
        HelpName = "N",
    };

    private readonly Option<short?> _replicationFactor = new("--replication-factor", "-r")
    {
        Description = "Stored and reported; shared storage is what keeps the data",
        HelpName = "N",
    };

    private readonly Option<string[]> _configs = new("--config", "-c") { Description = "A topic config, KEY=VALUE; may be repeated", HelpName = "KEY=VALUE" };

    private readonly Option<bool> _ifNotExists = new("--if-not-exists") { Description = "Succeed if a topic is there already" };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only check whether it would work" };

    public TopicCreateCommand()
        : base("create", "Create topics")
    {
        Arguments.Add(_names);
        Options.Add(_partitions);
        Options.Add(_replicationFactor);
        Options.Add(_configs);
        Options.Add(_ifNotExists);
        Options.Add(_dryRun);
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var configs = KeyValue.ParseAll(result.GetValue(_configs), "--config").ToDictionary();
        var report = new Report("Topic", "Created");
        foreach (var name in result.GetValue(_names)!)
        {
            report.Add(name, await CreateAsync(admin, name, configs, result));
        }

        report.Write(Client.Json(result));
        CleaningNote.Write(Client.Json(result), configs);
        if (result.GetValue(_dryRun))
        {
            Messages.Note(Client.Json(result), "Nothing was created: this was a check, and creating would work.");
        }

        return ExitCode.Success;
    }

    private async Task<bool> CreateAsync(Confluent.Kafka.IAdminClient admin, string name, Dictionary<string, string> configs, ParseResult result)
    {
        try
        {
            await admin.CreateTopicsAsync(
                [
                    new TopicSpecification
                    {
                        Name = name,
                        NumPartitions = result.GetValue(_partitions) ?? -1,
                        ReplicationFactor = result.GetValue(_replicationFactor) ?? -1,
                        Configs = configs,
                    },
                ],
                new CreateTopicsOptions { RequestTimeout = Client.Timeout(result), ValidateOnly = result.GetValue(_dryRun) });
            return !result.GetValue(_dryRun);
        }
        catch (CreateTopicsException failure)
            when (result.GetValue(_ifNotExists) && failure.Results[0].Error.Code == Confluent.Kafka.ErrorCode.TopicAlreadyExists)
        {
            return false;
        }
    }
}
