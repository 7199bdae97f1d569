using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace store …</c></summary>
[Example("millrace store verify --store \"s3://bucket/prefix\"", "Is everything there?")]
internal sealed class StoreCommand : Command
{
    public StoreCommand()
        : base("store", "Look at an object store, without a broker") => Subcommands.Add(new StoreVerifyCommand());
}
