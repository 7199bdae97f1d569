using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace wal …</c></summary>
[Example("millrace wal inspect /dev/disk/by-id/nvme-one", "Whose WALs a device holds, and who has it reserved")]
internal sealed class WalCommand : Command
{
    public WalCommand()
        : base("wal", "Look after devices that hold WALs, without a broker")
    {
        Subcommands.Add(new WalInspectCommand());
        Subcommands.Add(new WalProbeCommand());
        Subcommands.Add(new WalFormatCommand());
        Subcommands.Add(new WalReleaseCommand());
    }
}
