using System.Diagnostics;
using System.Text.RegularExpressions;
using Millrace.Runtime.Linux;

namespace Millrace.Server.Cli.Dev;

/// <summary>A broker in a process of its own, which this one has started: <c>millrace start</c>, its log in a file of its folder.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed partial class LocalBroker : IDisposable
{
    public const int AlreadyRuns = 75;

    /// <summary>
    /// Opens the log, so that it is whole whatever becomes of us, and a lock that the broker holds for as long as it lives: two of one name would
    /// fence each other for ever.
    /// </summary>
    private const string Script = """
        exec 9>"$1/running" 2>>"$1/log"
        if command -v flock >/dev/null; then flock -n 9 || exit 75; fi
        shift
        exec "$@"
        """;

    private readonly Process _process;

    private LocalBroker(string name, string directory, Process process)
    {
        (Name, Log, _process) = (name, Path.Combine(directory, "log"), process);
        ProcessId = process.Id;
        Ended = EndAsync();
    }

    public string Name { get; }

    /// <summary>Its file.</summary>
    public string Log { get; }

    public int ProcessId { get; }

    /// <summary>Completes with its exit code; 128 and the signal's number where it was killed.</summary>
    public Task<int> Ended { get; }

    /// <summary>Starts one. It is not ready yet.</summary>
    /// <param name="name">Its name for good.</param>
    /// <param name="directory">Its folder, which is made if it is not there.</param>
    /// <param name="arguments">Of <c>millrace start</c>, beside these two.</param>
    public static LocalBroker Start(string name, string directory, IEnumerable<string> arguments)
    {
        Directory.CreateDirectory(directory);
        IEnumerable<string> line = ["-c", Script, "sh", directory, .. Program(), "start", "--name", name, "--data-dir", directory, .. arguments];
        var process = Process.Start(new ProcessStartInfo("/bin/sh", line) { RedirectStandardOutput = true });
        return new LocalBroker(name, directory, process!);
    }

    /// <summary>Waits until it says that it is ready.</summary>
    /// <returns>Where clients and HTTP reach it, and the node's id; null if it has ended instead.</returns>
    public async Task<(string Address, string Http, string Node)?> WaitUntilReadyAsync(CancellationToken token)
    {
        while (await _process.StandardOutput.ReadLineAsync(token) is { } line)
        {
            if (Ready().Match(line) is { Success: true } ready)
            {
                return (ready.Groups["address"].Value, ready.Groups["http"].Value, ready.Groups["node"].Value);
            }
        }

        await Ended;
        return null;
    }

    /// <summary>Asks it to end in good order. Nothing happens if it has ended.</summary>
    public void AskToEnd()
    {
        if (!Ended.IsCompleted)
        {
            LinuxSignal.AskToEnd(ProcessId);
        }
    }

    public void Kill() => _process.Kill();

    /// <summary>The last line of its log; what it said last before it ended.</summary>
    public string LastWords() => File.Exists(Log) ? File.ReadLines(Log).LastOrDefault("") : "";

    public void Dispose() => _process.Dispose();

    /// <summary>What this process runs, which may have been started by dotnet.</summary>
    private static string[] Program()
    {
        var program = Environment.ProcessPath!;
        return Path.GetFileName(program) == "dotnet" ? [program, Environment.GetCommandLineArgs()[0]] : [program];
    }

    private async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    [GeneratedRegex(@"^ready (?<address>\S+) (?<http>http://\S+) node (?<node>\d+) ")]
    private static partial Regex Ready();
}
