using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic …</c></summary>
[Example("millrace topic list", "The topics there are")]
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
