using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace balancer history</c></summary>
[Example("millrace balancer history", "Each move with what it was for, and what it was to bring both brokers")]
internal sealed class BalancerHistoryCommand : ClientCommand
{
    public BalancerHistoryCommand()
        : base("history", "Show the last few thousand moves that the present controller's balancer has planned")
    {
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var balancer = await BalancerView.AskAsync(Client.Config(result), preview: false, Client.Timeout(result), token);
        var report = new Report("Id", "At", "Begun", "Topic", "Partition", "From", "To", "Goal", "Bytes per second", "Gives", "Takes");
        foreach (var action in balancer.Actions)
        {
            var move = action.Move;
            report.Add(
                action.Id, DateTimeOffset.FromUnixTimeMilliseconds(action.At).ToString("u"), action.IsBegun,
                move.Topic, move.Partition, move.From, move.To, BalancerView.GoalOf(move), move.Bytes,
                BalancerView.Change(move, move.FromBefore, move.FromAfter), BalancerView.Change(move, move.ToBefore, move.ToAfter));
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
