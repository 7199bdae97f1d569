using System.CommandLine;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace partition status [TOPIC[:N,N,…]]… [--under-way]</c></summary>
[Example("millrace partition status", "What is on its way to another broker, how far it is, and what has moved or was cancelled lately")]
[Example("millrace partition status orders:3 --json", "The moves of one partition, with how long each had stopped it")]
[Example("millrace partition status --under-way", "What has not ended yet")]
internal sealed class PartitionStatusCommand : ClientCommand
{
    private readonly Argument<string[]> _partitions = new("topic")
    {
        Description = "Topics, or some of their partitions: NAME[:N,N,…]; all if not given",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<bool> _underWay = new("--under-way") { Description = "Only moves that have not ended" };

    public PartitionStatusCommand()
        : base("status", "Show the moves of partitions: those under way, and each broker's last thousand")
    {
        _partitions.CompletionSources.AddTopics(Client);
        Arguments.Add(_partitions);
        Options.Add(_underWay);
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var scopes = (result.GetValue(_partitions) ?? []).Select(text => TopicScope.Parse(text, "An argument")).ToList();
        RequireThere(admin, scopes, result);
        var cluster = await ClusterView.AskAsync(admin, Client, result, token);

        // A broker that is silent must not use up the time that the command has for all.
        var (moves, silent) = await ClusterMoves.AskAsync(cluster, Client.Config(result), Client.Timeout(result) / 2, token);
        var report = new Report("Topic", "Partition", "From", "To", "Phase", "Bytes left", "Bytes uploaded", "Stop ms", "Age ms", "Ended ms ago");
        foreach (var move in moves.Where(move => IsMeant(move, scopes) && !(result.GetValue(_underWay) && move.EndedAgo is not null)))
        {
            report.Add(
                move.Topic, move.Partition, move.From, move.To, move.PhaseInWords, move.BytesLeft, move.BytesUploaded,
                Milliseconds(move.Stop), Milliseconds(move.Age), Milliseconds(move.EndedAgo));
        }

        report.Write(Client.Json(result));
        if (silent.Count > 0)
        {
            throw new CommandFailedException(
                ExitCode.Failed,
                $"Nothing is known of moves away from broker {string.Join(", ", silent)}: it does not answer, or connections are encrypted.");
        }

        return ExitCode.Success;
    }

    private static bool IsMeant(MoveView move, List<TopicScope> scopes) =>
        scopes.Count == 0
        || scopes.Exists(scope => scope.Topic == move.Topic && (scope.Partitions.Count == 0 || scope.Partitions.Contains(move.Partition)));

    private static long? Milliseconds(TimeSpan? time) => (long?)time?.TotalMilliseconds;

    private void RequireThere(IAdminClient admin, List<TopicScope> scopes, ParseResult result)
    {
        if (scopes.Count == 0)
        {
            return;
        }

        var topics = admin.GetMetadata(Client.Timeout(result)).Topics;
        foreach (var scope in scopes)
        {
            var topic = topics.Find(topic => topic.Topic == scope.Topic)
                ?? throw new CommandFailedException(ExitCode.NotFound, Absence.OfTopic(admin, scope.Topic, Client.Timeout(result)));
            _ = scope.Resolve(topic.Partitions.Count).Count();
        }
    }
}
