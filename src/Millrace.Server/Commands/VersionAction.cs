using System.CommandLine;
using System.CommandLine.Invocation;
using Millrace.Runtime;
using Millrace.Server.Cli;

namespace Millrace.Server.Commands;

/// <summary><c>millrace --version</c>: the number, the commit that it was built from, and what it runs on.</summary>
internal sealed class VersionAction : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine(ProductVersion.Full);
        return ExitCode.Success;
    }
}
