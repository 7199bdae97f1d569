using System.CommandLine;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group …</c></summary>
internal sealed class GroupCommand : Command
{
    public GroupCommand()
        : base("group", "Look at and delete consumer groups")
    {
        Subcommands.Add(new GroupListCommand());
        Subcommands.Add(new GroupDescribeCommand());
        Subcommands.Add(new GroupDeleteCommand());
    }
}
