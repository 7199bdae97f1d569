using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>Millrace as a user starts it, on a directory.</summary>
internal sealed partial class MillraceUnderTest : BrokerUnderTest
{
    private readonly Process _process;

    public MillraceUnderTest(string name, string checkout, string directory, params string[] arguments)
        : base(name)
    {
        var program = Path.Combine(checkout, "millrace");
        _process = Process.Start(new ProcessStartInfo(program, ["start", "--data-dir", directory, "--listen", "127.0.0.1:0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        // What it logs is not of interest, but an unread pipe would block it.
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        var ready = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("millrace did not start");
        BootstrapServers = Address().Match(ready).Value;
        ProcessId = _process.Id;
    }

    public override void Dispose()
    {
        Run("kill", "-TERM", $"{ProcessId}");
        _process.WaitForExit();
        _process.Dispose();
    }

    [GeneratedRegex(@"[\w.\-]+:\d+")]
    private static partial Regex Address();
}
