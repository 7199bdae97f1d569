using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace partition …</c></summary>
[Example("millrace partition list --unavailable", "Those that nobody leads, and what they wait for")]
internal sealed class PartitionCommand : Command
{
    public PartitionCommand()
        : base("partition", "Look at partitions of all topics") => Subcommands.Add(new PartitionListCommand());
}
