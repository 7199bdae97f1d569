using System.CommandLine;

namespace Millrace.Server.Commands;

/// <summary><c>millrace cluster …</c></summary>
internal sealed class ClusterCommand : Command
{
    public ClusterCommand()
        : base("cluster", "Look at a cluster") => Subcommands.Add(new ClusterDescribeCommand());
}
