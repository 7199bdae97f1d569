using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;

namespace Millrace.Server.Cli.Help;

/// <summary>The help of the library, and under it the examples of the command, and for all commands together their exit codes.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => help.ClearsParseErrors;

    public static IReadOnlyList<ExampleAttribute> ExamplesOf(Command command) =>
        [.. command.GetType().GetCustomAttributes<ExampleAttribute>(inherit: false)];

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in ExamplesOf(parseResult.CommandResult.Command))
        {
            output.WriteLine($"  {example.Line}\n      {example.Meaning}");
        }

        output.WriteLine();
        if (parseResult.CommandResult.Command is RootCommand)
        {
            output.WriteLine("Exit codes:");
            foreach (var (code, meaning) in ExitCode.All)
            {
                output.WriteLine($"  {code,2}  {meaning}");
            }

            output.WriteLine();
        }

        return exitCode;
    }
}
