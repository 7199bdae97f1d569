using System.CommandLine;
using Confluent.Kafka;
using Millrace.Server.Cli.Completion;

namespace Millrace.Server.Cli.Seeking;

/// <summary>The options that say where a group is to go on, and in which partitions.</summary>
internal sealed class SeekOptions
{
    private readonly Option<string?> _to = new("--to")
    {
        Description = "earliest, latest, an offset, or @TIME (ISO 8601 or ms)",
        HelpName = "WHERE",
    };

    private readonly Option<string?> _back = new("--back")
    {
        Description = "To the records of so long ago, a duration in ISO 8601: PT90S, PT1H30M, P7D",
        HelpName = "DURATION",
    };

    private readonly Option<long?> _shift = new("--shift")
    {
        Description = "So many records on from where it is; back if below 0",
        HelpName = "N",
    };

    private readonly Option<FileInfo?> _file = new("--file")
    {
        Description = "A CSV file that says it for each partition: TOPIC,PARTITION,OFFSET, or GROUP,TOPIC,PARTITION,OFFSET",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _topics = new("--topic")
    {
        Description = "A topic, or some of its partitions; may be repeated",
        HelpName = "NAME[:N,N,…]",
    };

    private readonly Option<bool> _allTopics = new("--all-topics") { Description = "Every partition that the group has committed" };

    public void AddTo(Command command, ClientOptions client)
    {
        _topics.CompletionSources.AddTopics(client);
        foreach (var option in new Option[] { _to, _back, _shift, _file, _topics, _allTopics })
        {
            command.Options.Add(option);
        }
    }

    /// <param name="result">The command line.</param>
    /// <param name="group">Whose lines count in a file.</param>
    /// <param name="now">What a time back is taken from.</param>
    /// <returns>Where to, and in which partitions; null for those that the group has committed.</returns>
    /// <exception cref="CommandFailedException">It is not said, or said twice, or a file is wrong.</exception>
    public (SeekTarget Target, IReadOnlyList<TopicScope>? Scopes) Read(ParseResult result, string group, DateTimeOffset now)
    {
        var file = result.GetValue(_file) is { } csv ? Read(csv, group) : null;
        SeekTarget?[] targets =
        [
            result.GetValue(_to) is { } to ? SeekTarget.To(to) : null,
            result.GetValue(_back) is { } back ? SeekTarget.Back(back, now) : null,
            result.GetValue(_shift) is { } shift ? SeekTarget.Shift(shift) : null,
            file is not null ? SeekTarget.From(file) : null,
        ];
        return targets.OfType<SeekTarget>().ToList() is [var target]
            ? (target, Scopes(result, file))
            : throw new CommandFailedException(
                ExitCode.Usage, "Say where to, once: --to WHERE, --back DURATION, --shift N or --file FILE.");
    }

    private IReadOnlyList<TopicScope>? Scopes(ParseResult result, IReadOnlyDictionary<TopicPartition, long>? file)
    {
        var topics = result.GetValue(_topics) ?? [];
        return (topics.Length > 0, result.GetValue(_allTopics), file) switch
        {
            (true, false, null) => [.. topics.Select(topic => TopicScope.Parse(topic, "--topic"))],
            (false, true, null) => null,
            (false, false, not null) => [.. file.Keys.Select(partition => new TopicScope(partition.Topic, [partition.Partition.Value]))],
            _ => throw new CommandFailedException(
                ExitCode.Usage,
                "Say in which topics, once: --topic NAME[:N,N,…], which may be repeated, or --all-topics; a --file names its own."),
        };
    }

    private static IReadOnlyDictionary<TopicPartition, long> Read(FileInfo file, string group)
    {
        try
        {
            using var text = file.OpenText();
            return OffsetsFile.Parse(text, group);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCode.Usage, $"--file cannot be read: {failure.Message}", failure);
        }
    }
}
