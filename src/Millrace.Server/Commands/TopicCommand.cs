using System.CommandLine;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic …</c></summary>
internal sealed class TopicCommand : Command
{
    public TopicCommand()
        : base("topic", "Create, look at, change and delete topics")
    {
        Subcommands.Add(new TopicCreateCommand());
        Subcommands.Add(new TopicListCommand());
        Subcommands.Add(new TopicDescribeCommand());
        Subcommands.Add(new TopicAlterCommand());
        Subcommands.Add(new TopicAddPartitionsCommand());
        Subcommands.Add(new TopicTrimCommand());
        Subcommands.Add(new TopicDeleteCommand());
    }
}
