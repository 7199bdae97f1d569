using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace dev …</c></summary>
[Example("millrace dev cluster", "Three brokers on this machine, until Ctrl-C")]
internal sealed class DevCommand : Command
{
    public DevCommand()
        : base("dev", "For work on one machine") => Subcommands.Add(new DevClusterCommand());
}
