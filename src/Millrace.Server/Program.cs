using System.CommandLine;
using Millrace.Server;
using Millrace.Server.Cli;
using Millrace.Server.Commands;

var command = MillraceCommand.Create().Parse(args);
var exitCode = await command.InvokeAsync(new InvocationConfiguration
{
    // A node handles its signals itself, and drains for longer than the two seconds that client commands get.
    ProcessTerminationTimeout = command.CommandResult.Command is StartCommand ? null : TimeSpan.FromSeconds(2),
});
return command.Errors.Count > 0 ? ExitCode.Usage : exitCode;
