using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace balancer plan</c></summary>
[Example("millrace balancer plan", "What would be moved if all stayed as it is now; nothing is")]
internal sealed class BalancerPlanCommand : ClientCommand
{
    public BalancerPlanCommand()
        : base("plan", "Show what the balancer would move now, without waiting for it to last, and move nothing")
    {
        // Kafka's users look for it; there is no plan but a dry one.
        Options.Add(new Option<bool>("--dry-run") { Description = "As it is anyway: nothing is moved" });
    }

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var balancer = await BalancerView.AskAsync(Client.Config(result), preview: true, Client.Timeout(result), token);
        var report = new Report("Topic", "Partition", "From", "To", "Goal", "Bytes per second", "Gives", "Takes");
        foreach (var move in balancer.Planned)
        {
            report.Add(
                move.Topic, move.Partition, move.From, move.To, BalancerView.GoalOf(move), move.Bytes,
                BalancerView.Change(move, move.FromBefore, move.FromAfter), BalancerView.Change(move, move.ToBefore, move.ToAfter));
        }

        report.Write(Client.Json(result));
        if (report.IsEmpty)
        {
            Messages.Note(
                Client.Json(result),
                balancer.Mode == "off" ? "The balancer is off and knows of no loads: `millrace config set millrace.balancer.mode=advise` has it look."
                : balancer.Waits is { } reason ? $"Nothing is looked for: {reason}"
                : "Nothing: the loads are even.");
        }

        return ExitCode.Success;
    }
}
