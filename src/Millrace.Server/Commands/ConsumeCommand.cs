using System.CommandLine;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace consume TOPIC…</c></summary>
[Example("millrace consume orders", "From the start, and whatever comes")]
[Example("millrace consume orders --exit --offset @2026-01-31T12:00:00Z --format \"%p %o %k=%v\\n\"", "From a time to the end")]
[Example("millrace consume orders --group billing --json", "As a member of a group, whose offsets are committed")]
internal sealed class ConsumeCommand : ClientCommand
{
    private readonly Argument<string[]> _topics = new("topic") { Description = "The topics to read", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string?> _group = new("--group", "-g")
    {
        Description = "Read as a member of this group, and commit; without it every partition is read and nothing is committed",
        HelpName = "NAME",
    };

    private readonly Option<string> _offset = new("--offset", "-o")
    {
        Description = "Where to begin: start, end, an offset (or the nearest there is), -N for N before the end, or @TIME (ISO 8601 or ms); with --group where there is no commit",
        DefaultValueFactory = _ => "start",
        HelpName = "WHERE",
    };

    private readonly Option<int[]> _partitions = new("--partition", "-p") { Description = "Only this partition; may be repeated", HelpName = "N" };

    private readonly Option<long?> _count = new("--num", "-n") { Description = "Stop after N records", HelpName = "N" };

    private readonly Option<bool> _exitAtEnd = new("--exit", "-e") { Description = "Stop at the end of what is there" };

    private readonly Option<string> _format = new("--format", "-f")
    {
        Description = "%t topic, %p partition, %o offset, %k key, %v value, %h headers, %T timestamp (ms), %% a percent sign; \\n \\t as usual",
        DefaultValueFactory = _ => "%v\\n",
        HelpName = "FORMAT",
    };

    public ConsumeCommand()
        : base("consume", "Print records of topics")
    {
        _topics.CompletionSources.AddTopics(Client);
        _group.CompletionSources.AddGroups(Client);
        Arguments.Add(_topics);
        Options.Add(_group);
        Options.Add(_offset);
        Options.Add(_partitions);
        Options.Add(_count);
        Options.Add(_exitAtEnd);
        Options.Add(_format);
    }

    protected override Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var start = ConsumeStart.Parse(result.GetValue(_offset)!);
        var group = result.GetValue(_group);
        if (group is not null && start.NeedsLookup)
        {
            throw new CommandFailedException(ExitCode.Usage, "With --group, --offset is start or end: the group's commits say where it goes on.");
        }

        if (group is not null && result.GetValue(_partitions) is { Length: > 0 })
        {
            throw new CommandFailedException(ExitCode.Usage, "--partition does not go with --group: the group decides who reads which partition.");
        }

        if (result.GetValue(_count) < 0)
        {
            throw new CommandFailedException(ExitCode.Usage, "--num takes a number of records, 0 or more.");
        }

        var config = new ConsumerConfig(Client.Config(result))
        {
            GroupId = group ?? "millrace-cli",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = start.Reset,
            AllowAutoCreateTopics = false,
        };
        using var consumer = new ConsumerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        var reading = new Reading(consumer, Client.Timeout(result));
        if (group is null)
        {
            reading.Assign(result.GetValue(_topics)!, result.GetValue(_partitions) ?? [], start);
        }
        else
        {
            reading.Subscribe(result.GetValue(_topics)!);
        }

        var format = Client.Json(result) ? RecordFormat.Json : RecordFormat.Parse(result.GetValue(_format)!);
        using var output = new BufferedStream(Console.OpenStandardOutput(), 1 << 16);
        try
        {
            reading.Run(record => format.Write(output, record), output.Flush, result.GetValue(_count), result.GetValue(_exitAtEnd), commit: group is not null, token);
        }
        finally
        {
            output.Flush();
            consumer.Close();
        }

        return Task.FromResult(ExitCode.Success);
    }
}
