using System.CommandLine;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;
using Millrace.Server.Cli.Seeking;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group seek NAME --to WHERE|--back DURATION|--shift N|--file FILE --topic TOPIC…|--all-topics [--dry-run]</c></summary>
[Example("millrace group seek billing --all-topics --to earliest --dry-run", "Where all it has read would begin again; nothing is changed")]
[Example("millrace group seek billing --topic orders:0,1 --to @2026-01-31T12:00:00Z", "Two partitions, to the first record of that time")]
[Example("millrace group seek billing --topic orders --back PT1H30M", "The last hour and a half once more")]
[Example("millrace group seek billing --topic orders --shift -10", "Ten records back in each partition")]
[Example("millrace group seek billing --file offsets.csv", "As kafka-consumer-groups --export wrote it: TOPIC,PARTITION,OFFSET")]
internal sealed class GroupSeekCommand : ClientCommand
{
    private readonly Argument<string> _name = new("name") { Description = "The group; it must have no members" };

    private readonly SeekOptions _seek = new();

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only show where it is and where it would go" };

    public GroupSeekCommand()
        : base("seek", "Move a group's committed offsets: to a place, to a time, on or back")
    {
        Aliases.Add("reset");
        _name.CompletionSources.AddGroups(Client);
        Arguments.Add(_name);
        _seek.AddTo(this, Client);
        Options.Add(_dryRun);
    }

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var name = result.GetValue(_name)!;
#pragma warning disable RS0030 // A command is a composition root: what it calls takes the time it is given.
        var (target, scopes) = _seek.Read(result, name, TimeProvider.System.GetUtcNow());
#pragma warning restore RS0030
        using var admin = Client.Admin(result);
        var group = new SeekingGroup(admin, name, Client.Timeout(result));
        var isThere = await group.CheckInactiveAsync();
        scopes ??= await group.CommittedAsync();
        if (scopes.Count == 0)
        {
            throw new CommandFailedException(ExitCode.NotFound, isThere
                ? $"Group '{name}' has committed no offsets: name topics with --topic."
                : Absence.OfGroup(name));
        }

        var positions = await group.PositionsAsync(await group.ResolveAsync(scopes), target.Time);
        var moves = positions.Select(position => (Position: position, To: target.Choose(position))).ToList();
        if (!result.GetValue(_dryRun))
        {
            await group.CommitAsync(moves.Select(move => new TopicPartitionOffset(move.Position.Partition, move.To.Offset)));
        }

        var report = new Report("Group", "Topic", "Partition", "Committed offset", "New offset");
        foreach (var (position, to) in moves)
        {
            report.Add(name, position.Partition.Topic, position.Partition.Partition.Value, position.Committed, to.Offset);
        }

        report.Write(Client.Json(result));
        foreach (var (position, _) in moves.Where(move => move.To.IsClamped))
        {
            Messages.Note(
                Client.Json(result), $"{position.Name} has offsets from {position.Earliest} to {position.Latest}: the nearest was taken.");
        }

        if (result.GetValue(_dryRun))
        {
            Messages.Note(Client.Json(result), "Nothing was changed: this was a dry run.");
        }
        else if (!isThere)
        {
            Messages.Note(Client.Json(result), $"There was no group '{name}': it exists now, with these offsets.");
        }

        return ExitCode.Success;
    }
}
