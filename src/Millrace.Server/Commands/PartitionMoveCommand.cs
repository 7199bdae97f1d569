using System.CommandLine;
using Confluent.Kafka;
using Millrace.Metadata.Configs;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace partition move TOPIC[:N,N,…] --to BROKER</c></summary>
[Example("millrace partition move orders:3 --to 2", "Broker 2 leads partition 3 of the topic, while everybody goes on")]
[Example("millrace partition move orders --to broker-b", "All partitions of the topic")]
internal sealed class PartitionMoveCommand : ClientCommand
{
    private readonly Argument<string> _partitions = new("topic") { Description = "A topic, or some of its partitions: NAME[:N,N,…]" };

    private readonly Option<string> _to = new("--to") { Description = "The broker that is to lead them: its id or name", Required = true, HelpName = "BROKER" };

    public PartitionMoveCommand()
        : base("move", "Have another broker lead partitions from now on, as their first replica, and wait until it does")
    {
        _partitions.CompletionSources.AddTopics(Client);
        _to.CompletionSources.AddBrokers(Client);
        Arguments.Add(_partitions);
        Options.Add(_to);
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var broker = (await ClusterView.AskAsync(admin, Client, result, token)).Find(result.GetValue(_to)!);
        if (broker.State != BrokerView.Live)
        {
            throw new CommandFailedException(ExitCode.Failed, $"Broker {broker.Id} is {broker.State}, and can lead nothing.");
        }

        if (broker.Duty == BrokerDuty.Drained)
        {
            throw new CommandFailedException(
                ExitCode.Failed, $"Broker {broker.Id} is drained, and leads nothing: `millrace broker undrain {broker.Id}` first.");
        }

        var scope = TopicScope.Parse(result.GetValue(_partitions)!, "The first argument");
        var topic = Find(admin, scope.Topic, result);
        var wanted = scope.Resolve(topic.Partitions.Count).Select(partition => partition.Partition.Value).ToHashSet();
        var before = topic.Partitions.Where(partition => wanted.Contains(partition.PartitionId)).OrderBy(partition => partition.PartitionId).ToArray();
        var outcomes = await new PartitionMove(scope.Topic, broker.Id).RunAsync(
            Client.Config(result),
            before.ToDictionary(partition => partition.PartitionId, partition => (IReadOnlyList<int>)partition.Replicas),
            Client.Timeout(result),
            token);

        var report = new Report("Topic", "Partition", "From", "To", "Done");
        foreach (var partition in before)
        {
            report.Add(
                scope.Topic, partition.PartitionId, partition.Leader < 0 ? null : partition.Leader, broker.Id,
                outcomes.GetValueOrDefault(partition.PartitionId) is null);
        }

        report.Write(Client.Json(result));
        var exitCode = ExitCode.Success;
        foreach (var (partition, error) in outcomes.Where(outcome => outcome.Value is not null))
        {
            exitCode = Messages.Error(
                Client.Json(result), ClientErrorCodes.ExitCodeOf(error!.Code), $"{scope.Topic}-{partition}: {error.Reason} ({error.Code})");
        }

        return exitCode;
    }

    private TopicMetadata Find(IAdminClient admin, string name, ParseResult result) =>
        admin.GetMetadata(Client.Timeout(result)).Topics.Find(topic => topic.Topic == name)
        ?? throw new CommandFailedException(ExitCode.NotFound, Absence.OfTopic(admin, name, Client.Timeout(result)));
}
