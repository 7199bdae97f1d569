using System.CommandLine;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;
using Millrace.Server.Cli.Seeking;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group seek NAME --to WHERE|--back DURATION|--shift N|--file FILE --topic TOPIC…|--all-topics [--dry-run]</c></summary>
[Example("millrace group seek billing --all-topics --to earliest --dry-run", "Where it would go on in all topics it has read; nothing is changed")]
[Example("millrace group seek billing --topic orders:0,1 --to @2026-01-31T12:00:00Z", "Two partitions to the first record of that time")]
[Example("millrace group seek billing --topic orders --back PT1H30M", "The last hour and a half once more")]
[Example("millrace group seek billing --topic orders --shift -10", "Ten records back in each partition")]
[Example("millrace group seek billing --file offsets.csv", "As kafka-consumer-groups --export wrote it: TOPIC,PARTITION,OFFSET")]
internal sealed class GroupSeekCommand : ClientCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The group; it must have no members" };

    private readonly Option<string?> _to = new("--to") { Description = "earliest, latest, an offset, or @TIME (ISO 8601 or ms)", HelpName = "WHERE" };

    private readonly Option<string?> _back = new("--back") { Description = "So long ago, a duration in ISO 8601: PT90S, PT1H30M, P7D", HelpName = "DURATION" };

    private readonly Option<long?> _shift = new("--shift") { Description = "So many records on from where it is; back if below 0", HelpName = "N" };

    private readonly Option<FileInfo?> _file = new("--file")
    {
        Description = "A CSV file that says it for each partition: TOPIC,PARTITION,OFFSET, or GROUP,TOPIC,PARTITION,OFFSET",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _topics = new("--topic") { Description = "A topic, or some of its partitions; may be repeated", HelpName = "NAME[:N,N,…]" };

    private readonly Option<bool> _allTopics = new("--all-topics") { Description = "Every partition that the group has committed" };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only show where it is and where it would go" };

    public GroupSeekCommand()
        : base("seek", "Move a group's committed offsets: to a place, a time, on or back")
    {
        Aliases.Add("reset");
        _name.CompletionSources.AddGroups(Client);
        _topics.CompletionSources.AddTopics(Client);
        Arguments.Add(_name);
        foreach (var option in new Option[] { _to, _back, _shift, _file, _topics, _allTopics, _dryRun })
        {
            Options.Add(option);
        }
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var name = result.GetValue(_name)!;
        var file = result.GetValue(_file) is { } csv ? Read(csv, name) : null;
        var target = Target(result, file);
        var scopes = Scopes(result, file);
        using var admin = Client.Admin(result);
        var group = new SeekingGroup(admin, name, Client.Timeout(result));
        var isThere = await group.CheckInactiveAsync();
        scopes ??= await group.CommittedAsync();
        if (scopes.Count == 0)
        {
            throw new CommandFailedException(
                ExitCode.NotFound, isThere ? $"Group '{name}' has committed no offsets: name topics with --topic." : $"There is no group '{name}'. `millrace group list` shows those there are.");
        }

        var positions = await group.PositionsAsync(await group.ResolveAsync(scopes), target.Time);
        var moves = positions.Select(position => (Position: position, To: target.Choose(position))).ToList();
        if (!result.GetValue(_dryRun))
        {
            await group.CommitAsync(moves.Select(move => new TopicPartitionOffset(move.Position.Partition, move.To.Offset)));
        }

        var report = new Report("Group", "Topic", "Partition", "Committed offset", "New offset");
        foreach (var ((partition, committed, _, _, _), (offset, _)) in moves)
        {
            report.Add(name, partition.Topic, partition.Partition.Value, committed, offset);
        }

        report.Write(Client.Json(result));
        Explain(result, isThere, [.. moves.Where(move => move.To.IsClamped).Select(move => move.Position)]);
        return ExitCode.Success;
    }

    private void Explain(ParseResult result, bool isThere, IReadOnlyList<SeekPosition> clamped)
    {
        foreach (var position in clamped)
        {
            Messages.Note(Client.Json(result), $"{position.Name} has offsets from {position.Earliest} to {position.Latest}: the nearest was taken.");
        }

        if (result.GetValue(_dryRun))
        {
            Messages.Note(Client.Json(result), "Nothing was changed: this was a dry run.");
        }
        else if (!isThere)
        {
            Messages.Note(Client.Json(result), $"There was no group '{result.GetValue(_name)}': it exists now, with these offsets.");
        }
    }

    private SeekTarget Target(ParseResult result, IReadOnlyDictionary<TopicPartition, long>? file)
    {
        var targets = new List<SeekTarget>();
        if (result.GetValue(_to) is { } to)
        {
            targets.Add(SeekTarget.To(to));
        }

        if (result.GetValue(_back) is { } back)
        {
#pragma warning disable RS0030 // A command is a composition root: what it calls takes the time it is given.
            targets.Add(SeekTarget.Back(back, TimeProvider.System.GetUtcNow()));
#pragma warning restore RS0030
        }

        if (result.GetValue(_shift) is { } shift)
        {
            targets.Add(SeekTarget.Shift(shift));
        }

        if (file is not null)
        {
            targets.Add(SeekTarget.From(file));
        }

        return targets.Count == 1
            ? targets[0]
            : throw new CommandFailedException(ExitCode.Usage, "Say where to, once: --to WHERE, --back DURATION, --shift N or --file FILE.");
    }

    /// <returns>Null for what the group has committed.</returns>
    private IReadOnlyList<SeekScope>? Scopes(ParseResult result, IReadOnlyDictionary<TopicPartition, long>? file)
    {
        var topics = result.GetValue(_topics) ?? [];
        var all = result.GetValue(_allTopics);
        return (topics.Length > 0, all, file) switch
        {
            (true, false, null) => [.. topics.Select(SeekScope.Parse)],
            (false, true, null) => null,
            (false, false, not null) => [.. file.Keys.Select(partition => new SeekScope(partition.Topic, [partition.Partition.Value]))],
            _ => throw new CommandFailedException(
                ExitCode.Usage, "Say in which topics, once: --topic NAME[:N,N,…], which may be repeated, or --all-topics; a --file names its own."),
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
