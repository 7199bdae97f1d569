using System.CommandLine;
using System.CommandLine.Invocation;
using Millrace.Server;
using Millrace.Server.Cli;
using Millrace.Server.Commands;

var command = MillraceCommand.Parse(args);
if (command.Action is ParseErrorAction && !UsageErrors.IsUnfinished(command))
{
    foreach (var line in UsageErrors.Describe(command))
    {
        Messages.Error(UsageErrors.IsJsonWanted(command), ExitCode.Usage, line);
    }

    Messages.Note(UsageErrors.IsJsonWanted(command), UsageErrors.Advise(command));
    return ExitCode.Usage;
}

var exitCode = await command.InvokeAsync(new InvocationConfiguration
{
    // Nodes handle their signals themselves, and drain for longer than the two seconds that client commands get.
    ProcessTerminationTimeout = command.CommandResult.Command is StartCommand or DevClusterCommand ? null : TimeSpan.FromSeconds(2),
});
return command.Action is ParseErrorAction ? ExitCode.Usage : exitCode;
