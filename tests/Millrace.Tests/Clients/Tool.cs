using System.Diagnostics;
using System.Text;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Runs a command line program to its end, with a limit on its time.</summary>
internal static class Tool
{
    // Kafka's tools end before what a Java machine's second compiler makes of them would pay: a third of their time.
    private static readonly (string Name, string Value) JavaOptions = ("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1");

    public static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs a program that must succeed, and returns its standard output.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? input = null, TimeSpan? limit = null)
    {
        var result = await TryRunAsync(program, arguments, input, limit);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}:\n{result.Output}\n{result.Errors}");
        return result.Output;
    }

    public static async Task<ToolResult> TryRunAsync(
        string program,
        IEnumerable<string> arguments,
        string? input = null,
        TimeSpan? limit = null,
        IEnumerable<(string Name, string Value)>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        foreach (var (name, value) in (environment ?? []).Prepend(JavaOptions))
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(limit ?? TimeSpan.FromSeconds(90));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(timeout.Token);
            return new ToolResult(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end in time");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
