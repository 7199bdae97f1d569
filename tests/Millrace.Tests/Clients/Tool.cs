using System.Diagnostics;
using System.Text;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Runs a command line program to its end, with a limit on its time.</summary>
internal static class Tool
{
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
        string[] line = [.. arguments];
        var start = new ProcessStartInfo(program, line)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        var isJavaTool = program.EndsWith("kafka.sh", StringComparison.Ordinal) && line is not ["start" or "stop", ..];
        var puts = false;
        foreach (var (name, value) in (environment ?? []).Prepend(("JAVA_TOOL_OPTIONS", isJavaTool ? JavaOptions.OfTool(out puts) : JavaOptions.Default)))
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
            if (puts && process.ExitCode == 0)
            {
                JavaOptions.Keep();
            }

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
