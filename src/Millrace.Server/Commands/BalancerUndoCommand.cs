using System.CommandLine;
using Confluent.Kafka;
using Millrace.Metadata;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace balancer undo ID…</c></summary>
[Example("millrace balancer undo 17 18", "Partitions go back to the brokers that two moves have taken them from")]
internal sealed class BalancerUndoCommand : ClientCommand
{
    private readonly Argument<long[]> _actions = new("id") { Description = "Moves, as `balancer history` numbers them", Arity = ArgumentArity.OneOrMore };

    public BalancerUndoCommand()
        : base("undo", "Have partitions led again by the brokers that the balancer has moved them from")
    {
        Arguments.Add(_actions);
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var config = Client.Config(result);
        var balancer = await BalancerView.AskAsync(config, preview: false, Client.Timeout(result), token);
        using var admin = Client.Admin(result);
        var topics = admin.GetMetadata(Client.Timeout(result)).Topics;
        var report = new Report("Id", "Topic", "Partition", "From", "To", "Done");
        var failed = ExitCode.Success;
        // All are looked for before any goes.
        var wanted = result.GetValue(_actions)!.Distinct().Select(id => (Id: id, Move: Find(balancer, id))).ToList();
        var places = wanted.ToDictionary(one => one.Id, one => Place(topics, one.Id, one.Move));
        foreach (var (id, move) in wanted)
        {
            var replicas = new Dictionary<int, IReadOnlyList<int>> { [move.Partition] = places[id].Replicas };
            var outcome = (await new PartitionMove(move.Topic!, move.From).RunAsync(config, replicas, Client.Timeout(result), token))[move.Partition];
            report.Add(id, move.Topic, move.Partition, move.To, move.From, outcome is null);
            if (outcome is not null)
            {
                failed = Messages.Error(
                    Client.Json(result), ClientErrorCodes.ExitCodeOf(outcome.Code), $"{move.Topic}-{move.Partition}: {outcome.Reason} ({outcome.Code})");
            }
        }

        report.Write(Client.Json(result));
        return failed;
    }

    /// <summary>Where it is, if that is where the move has brought it.</summary>
    private static PartitionMetadata Place(List<TopicMetadata> topics, long id, DescribeBalancerResponse.Move move)
    {
        var partition = topics.Find(topic => topic.Topic == move.Topic)?.Partitions.Find(partition => partition.PartitionId == move.Partition)
            ?? throw new CommandFailedException(ExitCode.NotFound, $"What move {id} has moved is gone.");
        return partition.Leader == move.To
            ? partition
            : throw new CommandFailedException(
                ExitCode.Failed, $"Move {id} is no more: {move.Topic}-{move.Partition} is led by broker {partition.Leader} by now, and not by {move.To}.");
    }

    private static DescribeBalancerResponse.Move Find(DescribeBalancerResponse balancer, long id) =>
        balancer.Actions.FirstOrDefault(action => action.Id == id) switch
        {
            null => throw new CommandFailedException(
                ExitCode.NotFound, $"The balancer of the present controller knows of no move {id}: `millrace balancer history` lists them."),
            { IsBegun: false } => throw new CommandFailedException(ExitCode.Failed, $"Move {id} was only advised: there is nothing to undo."),
            { } action => action.Move,
        };
}
