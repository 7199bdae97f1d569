using System.CommandLine;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Diagnosis;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace consume TOPIC…</c></summary>
[Example("millrace consume orders", "From the start, and whatever comes")]
[Example("millrace consume orders --exit --offset @2026-01-31T12:00:00Z --format \"%p %o %k=%v\\n\"", "From a time to the end")]
[Example("millrace consume orders --group billing --json", "As a member of a group, whose offsets are committed")]
internal sealed class ConsumeCommand : ClientCommand
{
    // With more than so many records in its queue, the client asks for no more for a while: a hundred thousand and a second, if nothing is
    // said, in which short ones are long printed. What bounds the memory is queued.max.messages.kbytes, of 64 MiB.
    private const int QueuedRecords = 1_000_000;
    private const int QueueBackoffMs = 10;

    private readonly Argument<string[]> _topics = new("topic") { Description = "The topics to read", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string?> _group = new("--group", "-g")
    {
        Description = "Read as a member of this group, and commit; without it every partition is read and nothing is committed",
        HelpName = "NAME",
    };

    private readonly Option<string> _offset = new("--offset", "-o")
    {
        Description = "Where to begin: start, end, an offset (or the nearest there is), -N for N before the end, " +
            "or @TIME (ISO 8601 or ms); with --group where there is no commit",
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

        var topics = result.GetValue(_topics)!;
        var format = Client.Json(result) ? RecordFormat.Json : RecordFormat.Parse(result.GetValue(_format)!);
        using var consumer = Consumer(result, group, start, FieldsOf(format, topics));
        var reading = new Reading(consumer, topics, Watch, () => Client.Timeout(result), Client.Patience(result));
        using var output = new RecordOutput(Console.OpenStandardOutput(), format);
        try
        {
            if (group is null)
            {
                reading.Assign(result.GetValue(_partitions) ?? [], start);
            }
            else
            {
                reading.Subscribe();
            }

            reading.Run(output, result.GetValue(_count), result.GetValue(_exitAtEnd), token);
            if (group is not null)
            {
                reading.Commit();
            }
        }
        finally
        {
            output.Flush();
            consumer.Close();
        }

        return Task.FromResult(ExitCode.Success);
    }

    protected override bool IsLasting => true;

    protected override IEnumerable<string> TopicsOf(ParseResult result) =>
        result.GetValue(_group) is null ? result.GetValue(_topics)! : result.GetValue(_topics)!.Append(BrokerInquiry.GroupsTopic);

    private IConsumer<byte[]?, byte[]?> Consumer(ParseResult result, string? group, ConsumeStart start, string fields)
    {
        var config = new ConsumerConfig(Client.Config(result))
        {
            GroupId = group ?? "millrace-cli",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = start.Reset,
            AllowAutoCreateTopics = false,
            ConsumeResultFields = fields,
        };
        config.QueuedMinMessages ??= QueuedRecords;
        config.FetchQueueBackoffMs ??= QueueBackoffMs;
        return new ConsumerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, error) => Client.Hear(error)).Build();
    }

    // Each field costs some objects a record.
    private static string FieldsOf(RecordFormat format, string[] topics)
    {
        var fields = new List<string>();
        if (format.NeedsTopic || topics.Length > 1 || topics[0].StartsWith('^'))
        {
            fields.Add("topic");
        }

        if (format.NeedsTimestamp)
        {
            fields.Add("timestamp");
        }

        if (format.NeedsHeaders)
        {
            fields.Add("headers");
        }

        return fields.Count == 0 ? "none" : string.Join(',', fields);
    }
}
