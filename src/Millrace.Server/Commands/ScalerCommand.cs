using System.CommandLine;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace scaler …</c></summary>
[Example("millrace scaler status", "How many brokers there are and should be, and why")]
internal sealed class ScalerCommand : Command
{
    public ScalerCommand()
        : base("scaler", "See how many brokers the cluster should have by its load, and what becomes of that, if it is told to look") =>
        Subcommands.Add(new ScalerStatusCommand());
}
