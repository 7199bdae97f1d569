using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace cluster …</c></summary>
[Example("millrace cluster describe", "The brokers there are")]
[Example("millrace cluster health", "Whether something is amiss")]
[Example("millrace cluster restart-plan", "How to restart it while clients go on")]
internal sealed class ClusterCommand : Command
{
    public ClusterCommand()
        : base("cluster", "Look at a cluster")
    {
        Subcommands.Add(new ClusterDescribeCommand());
        Subcommands.Add(new ClusterHealthCommand());
        Subcommands.Add(new ClusterRestartPlanCommand());
    }
}
