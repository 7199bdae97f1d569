using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Runs the program's commands, as a shell does, on a broker that they are told of by the environment.</summary>
internal sealed class Shell(string bootstrapServers)
{
    public IReadOnlyList<(string Name, string Value)> Environment { get; } =
    [
        ("MILLRACE_BOOTSTRAP", bootstrapServers),
        ("PATH", $"{Path.GetDirectoryName(MillraceProcess.Program)}:{System.Environment.GetEnvironmentVariable("PATH")}"),
    ];

    public Task<ToolResult> TryAsync(string command, string input = "") =>
        Tool.TryRunAsync(MillraceProcess.Program, command.Split(' '), input, environment: Environment);

    /// <summary>As above, for what must succeed.</summary>
    public async Task<ToolResult> RunAsync(string command, string input = "")
    {
        var result = await TryAsync(command, input);
        Assert.True(result.ExitCode == 0, $"millrace {command} ended with {result.ExitCode}:\n{result.Errors}");
        return result;
    }
}
