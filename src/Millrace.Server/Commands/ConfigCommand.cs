using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace config …</c></summary>
[Example("millrace config get --all", "Everything that the brokers are set to")]
internal sealed class ConfigCommand : Command
{
    public ConfigCommand()
        : base("config", "Look at and change the configs of running brokers")
    {
        Subcommands.Add(new ConfigGetCommand());
        Subcommands.Add(new ConfigSetCommand());
        Subcommands.Add(new ConfigUnsetCommand());
    }
}
