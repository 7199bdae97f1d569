using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace config …</c></summary>
[Example("millrace config reference", "Every setting that a broker can be started with")]
[Example("millrace config get --all", "Everything that running brokers are set to")]
internal sealed class ConfigCommand : Command
{
    public ConfigCommand()
        : base("config", "Look at the settings of brokers, and change those of running ones")
    {
        Subcommands.Add(new ConfigReferenceCommand());
        Subcommands.Add(new ConfigGetCommand());
        Subcommands.Add(new ConfigSetCommand());
        Subcommands.Add(new ConfigUnsetCommand());
    }
}
