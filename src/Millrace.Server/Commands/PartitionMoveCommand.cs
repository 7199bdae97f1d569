using System.CommandLine;
using Confluent.Kafka;
using Millrace.Metadata.Configs;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace partition move TOPIC[:N,N,…] --to BROKER|--cancel</c></summary>
[Example("millrace partition move orders:3 --to 2", "Broker 2 leads partition 3 of the topic, while everybody goes on")]
[Example("millrace partition move orders --to broker-b", "All partitions of the topic")]
[Example("millrace partition move orders --cancel", "What of the topic is on its way stays with who leads it; what has gone stays where it is")]
internal sealed class PartitionMoveCommand : ClientCommand
{
    private readonly Argument<string> _partitions = new("topic") { Description = "A topic, or some of its partitions: NAME[:N,N,…]" };

    private readonly Option<string> _to = new("--to") { Description = "The broker that is to lead them: its id or name", HelpName = "BROKER" };

    private readonly Option<bool> _cancel = new("--cancel")
    {
        Description = "End moves that are under way, instead: who leads goes on, and who was to lead stays the first replica",
    };

    public PartitionMoveCommand()
        : base("move", "Have another broker lead partitions from now on, as their first replica, and wait until it does")
    {
        _partitions.CompletionSources.AddTopics(Client);
        _to.CompletionSources.AddBrokers(Client);
        Arguments.Add(_partitions);
        Options.Add(_to);
        Options.Add(_cancel);
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var to = result.GetValue(_to);
        if ((to is null) != result.GetValue(_cancel))
        {
            throw new CommandFailedException(ExitCode.Usage, "Say which broker is to lead them (--to), or --cancel to end their moves.");
        }

        using var admin = Client.Admin(result);
        return to is null ? await CancelAsync(admin, result, token) : await MoveAsync(admin, to, result, token);
    }

    private async Task<int> MoveAsync(IAdminClient admin, string to, ParseResult result, CancellationToken token)
    {
        var broker = (await ClusterView.AskAsync(admin, Client, result, token)).Find(to);
        if (broker.State != BrokerView.Live)
        {
            throw new CommandFailedException(ExitCode.Failed, $"Broker {broker.Id} is {broker.State}, and can lead nothing.");
        }

        if (broker.Duty == BrokerDuty.Drained)
        {
            throw new CommandFailedException(
                ExitCode.Failed, $"Broker {broker.Id} is drained, and leads nothing: `millrace broker undrain {broker.Id}` first.");
        }

        var (topic, before) = Find(admin, result);
        var outcomes = await new PartitionMove(topic, broker.Id).RunAsync(
            Client.Config(result),
            before.ToDictionary(partition => partition.PartitionId, partition => (IReadOnlyList<int>)partition.Replicas),
            Client.Timeout(result),
            token);

        var report = new Report("Topic", "Partition", "From", "To", "Done");
        foreach (var partition in before)
        {
            report.Add(topic, partition.PartitionId, LeaderOf(partition), broker.Id, outcomes.GetValueOrDefault(partition.PartitionId) is null);
        }

        report.Write(Client.Json(result));
        return Complain(topic, outcomes.Where(outcome => outcome.Value is not null), result);
    }

    private async Task<int> CancelAsync(IAdminClient admin, ParseResult result, CancellationToken token)
    {
        var (topic, before) = Find(admin, result);
        var outcomes = await PartitionMove.CancelAsync(
            Client.Config(result), topic, before.Select(partition => partition.PartitionId), Client.Timeout(result), token);

        // Of what had ended before this, by its leader now, since it may have gone meanwhile.
        var report = new Report("Topic", "Partition", "Leader", "Cancelled");
        foreach (var partition in Find(admin, result).Partitions)
        {
            report.Add(topic, partition.PartitionId, LeaderOf(partition), outcomes.GetValueOrDefault(partition.PartitionId) is null);
        }

        report.Write(Client.Json(result));
        var idle = outcomes.Where(outcome => outcome.Value?.Code == ErrorCode.NoReassignmentInProgress).Select(outcome => outcome.Key).ToList();
        if (idle.Count > 0)
        {
            Messages.Note(Client.Json(result), $"Not under way, or over before it could be cancelled: {topic}:{string.Join(',', idle)}.");
        }

        if (outcomes.Any(outcome => outcome.Value is null))
        {
            Messages.Note(
                Client.Json(result),
                "What was cancelled stays with its leader until its first replica is started again, or preferred leaders are elected: the broker that was to "
                + "lead it is that. `millrace partition move --to LEADER` makes the leader the first.");
        }

        return Complain(topic, outcomes.Where(outcome => outcome.Value is { Code: not ErrorCode.NoReassignmentInProgress }), result);
    }

    /// <returns>The exit code: that of the first.</returns>
    private int Complain(string topic, IEnumerable<KeyValuePair<int, Error?>> failed, ParseResult result) =>
        failed.Select(one => Messages.Error(
                Client.Json(result), ClientErrorCodes.ExitCodeOf(one.Value!.Code), $"{topic}-{one.Key}: {one.Value.Reason} ({one.Value.Code})"))
            .ToList()
            .FirstOrDefault(ExitCode.Success);

    private (string Topic, IReadOnlyList<PartitionMetadata> Partitions) Find(IAdminClient admin, ParseResult result)
    {
        var scope = TopicScope.Parse(result.GetValue(_partitions)!, "The first argument");
        var topic = admin.GetMetadata(Client.Timeout(result)).Topics.Find(topic => topic.Topic == scope.Topic)
            ?? throw new CommandFailedException(ExitCode.NotFound, Absence.OfTopic(admin, scope.Topic, Client.Timeout(result)));
        var wanted = scope.Resolve(topic.Partitions.Count).Select(partition => partition.Partition.Value).ToHashSet();
        return (scope.Topic, [.. topic.Partitions.Where(partition => wanted.Contains(partition.PartitionId)).OrderBy(partition => partition.PartitionId)]);
    }

    private static int? LeaderOf(PartitionMetadata partition) => partition.Leader < 0 ? null : partition.Leader;
}
