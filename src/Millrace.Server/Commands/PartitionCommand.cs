using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace partition …</c></summary>
[Example("millrace partition list --unavailable", "Those that nobody leads, and what they wait for")]
[Example("millrace partition move orders:3 --to 2", "Another broker leads a partition")]
[Example("millrace partition status", "What is on its way, and what has moved lately")]
[Example("millrace partition top", "Those that move the most bytes now")]
internal sealed class PartitionCommand : Command
{
    public PartitionCommand()
        : base("partition", "Look at partitions of all topics, and move them")
    {
        Subcommands.Add(new PartitionListCommand());
        Subcommands.Add(new PartitionMoveCommand());
        Subcommands.Add(new PartitionStatusCommand());
        Subcommands.Add(new PartitionTopCommand());
    }
}
