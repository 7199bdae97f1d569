using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>Millrace as a user starts it, on a directory.</summary>
internal sealed partial class MillraceUnderTest : BrokerUnderTest
{
    private readonly Process _process;

    /// <param name="name">For people.</param>
    /// <param name="checkout">Of the program.</param>
    /// <param name="directory">Its data directory.</param>
    /// <param name="log">Gets what it logs, and is owned from now on; null if that is not of interest.</param>
    /// <param name="prefix">What its command line begins with.</param>
    /// <param name="arguments">Of <c>millrace start</c>, beside these.</param>
    public MillraceUnderTest(string name, string checkout, string directory, TextWriter? log, string[] prefix, params string[] arguments)
        : base(name)
    {
        string[] line = [.. prefix, Path.Combine(checkout, "millrace"), "start", "--data-dir", directory, .. arguments];
        _process = Process.Start(new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        // An unread pipe would block it.
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                log?.Dispose();
            }
            else
            {
                log?.WriteLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        var ready = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("millrace did not start");
        var addresses = Address().Matches(ready);
        (BootstrapServers, Http) = (addresses[0].Value, new Uri($"http://{addresses[1].Value}"));
        ProcessId = _process.Id;
    }

    /// <summary>Where its metrics are.</summary>
    public Uri Http { get; }

    /// <summary>Sends the process a signal, by its name. Nothing happens if it has ended.</summary>
    public void Signal(string name)
    {
        if (!_process.HasExited)
        {
            Run("kill", $"-{name}", $"{ProcessId}");
        }
    }

    public override void Dispose()
    {
        Signal("TERM");
        _process.WaitForExit();
        _process.Dispose();
    }

    [GeneratedRegex(@"[\w.\-]+:\d+")]
    private static partial Regex Address();
}
