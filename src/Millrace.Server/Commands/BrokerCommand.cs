using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker …</c></summary>
[Example("millrace broker list", "Those that are away, too")]
[Example("millrace broker drain 3 --wait", "Before it is stopped for long: others lead what it leads")]
[Example("millrace broker top", "How much each has to do now")]
[Example("millrace broker remove 3", "One that will not come back")]
internal sealed class BrokerCommand : Command
{
    public BrokerCommand()
        : base("broker", "Look at brokers, drain and cordon them, and remove those that are gone for good")
    {
        Subcommands.Add(new BrokerListCommand());
        Subcommands.Add(new BrokerDescribeCommand());
        Subcommands.Add(new BrokerDrainCommand());
        Subcommands.Add(new BrokerUndrainCommand());
        Subcommands.Add(new BrokerCordonCommand());
        Subcommands.Add(new BrokerUncordonCommand());
        Subcommands.Add(new BrokerRemoveCommand());
        Subcommands.Add(new BrokerTopCommand());
    }
}
