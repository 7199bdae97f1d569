using Millrace.Server;
using Millrace.Server.Cli;

var command = MillraceCommand.Create().Parse(args);
var exitCode = await command.InvokeAsync();
return command.Errors.Count > 0 ? ExitCode.Usage : exitCode;
