using System.Diagnostics;

namespace Millrace.Benchmarks;

/// <summary>A program that is run to its end.</summary>
internal static class ProgramRun
{
    /// <returns>What it has written to its standard output.</returns>
    /// <exception cref="InvalidOperationException">It has ended otherwise than with 0; with what it has written to its standard error.</exception>
    public static string Run(string program, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var trouble = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {trouble.Result}");
    }
}
