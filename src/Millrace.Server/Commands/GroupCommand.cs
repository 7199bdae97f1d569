using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group …</c></summary>
[Example("millrace group describe billing", "Where it is, and how far behind")]
internal sealed class GroupCommand : Command
{
    public GroupCommand()
        : base("group", "Look at, move and delete consumer groups")
    {
        Subcommands.Add(new GroupListCommand());
        Subcommands.Add(new GroupDescribeCommand());
        Subcommands.Add(new GroupSeekCommand());
        Subcommands.Add(new GroupDeleteCommand());
    }
}
