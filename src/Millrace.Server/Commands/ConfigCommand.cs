using System.CommandLine;

namespace Millrace.Server.Commands;

/// <summary><c>millrace config …</c></summary>
internal sealed class ConfigCommand : Command
{
    public ConfigCommand()
        : base("config", "Look at settings") => Subcommands.Add(new ConfigReferenceCommand());
}
