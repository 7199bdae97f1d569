using Millrace.Server;

return await MillraceCommand.Create().Parse(args).InvokeAsync();
