using System.CommandLine;

namespace Millrace.Server.Commands;

/// <summary><c>millrace store …</c></summary>
internal sealed class StoreCommand : Command
{
    public StoreCommand()
        : base("store", "Look at an object store, without a broker") => Subcommands.Add(new StoreVerifyCommand());
}
