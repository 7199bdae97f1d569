using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker …</c></summary>
[Example("millrace broker list", "Those that are away, too")]
[Example("millrace broker remove 3", "One that will not come back")]
internal sealed class BrokerCommand : Command
{
    public BrokerCommand()
        : base("broker", "Look at brokers, and remove those that are gone for good")
    {
        Subcommands.Add(new BrokerListCommand());
        Subcommands.Add(new BrokerDescribeCommand());
        Subcommands.Add(new BrokerRemoveCommand());
    }
}
