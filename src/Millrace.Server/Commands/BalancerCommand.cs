using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace balancer …</c></summary>
[Example("millrace balancer status", "Whether the cluster evens its loads by itself, and what it waits for")]
[Example("millrace balancer history", "What it has moved, why, and what that was to bring")]
[Example("millrace balancer plan", "What would be moved now")]
internal sealed class BalancerCommand : Command
{
    public BalancerCommand()
        : base("balancer", "See what the cluster moves by itself to even the loads of its brokers where they are uneven, and take that back")
    {
        Subcommands.Add(new BalancerStatusCommand());
        Subcommands.Add(new BalancerHistoryCommand());
        Subcommands.Add(new BalancerPlanCommand());
        Subcommands.Add(new BalancerUndoCommand());
    }
}
