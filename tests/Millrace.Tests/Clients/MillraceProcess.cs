using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Metadata.Image;

namespace Millrace.Tests.Clients;

/// <summary>The program as a user runs it: <c>millrace start</c> in a process of its own, on a port the system gives.</summary>
internal sealed partial class MillraceProcess : IBroker
{
    private readonly Process _process;
    private readonly StringBuilder _log;

    private MillraceProcess(Process process, StringBuilder log, Match ready)
    {
        (_process, _log) = (process, log);
        BootstrapServers = ready.Groups[1].Value;
        Http = new Uri(ready.Groups[2].Value);
        Node = int.Parse(ready.Groups[3].Value, CultureInfo.InvariantCulture);
        Name = ready.Groups[4].Value;
        ClusterId = ready.Groups[5].Value;
    }

    /// <summary>What was built beside the tests, unless <c>MILLRACE_TEST_PROGRAM</c> names another, as what <c>./millrace</c> publishes.</summary>
    public static string Program { get; } =
        Environment.GetEnvironmentVariable("MILLRACE_TEST_PROGRAM")
        ?? Path.Combine(Repository.Root, "artifacts", "bin", "Millrace.Server", Configuration, "millrace");

    public string BootstrapServers { get; }

    /// <summary>Where /metrics, /healthz and /readyz are.</summary>
    public Uri Http { get; }

    /// <summary>The node's id.</summary>
    public int Node { get; }

    /// <summary>What the node is called for good.</summary>
    public string Name { get; }

    public string ClusterId { get; }

    public int ProcessId => _process.Id;

    /// <summary>What it has logged so far; what was logged before it said that it is ready may still be on its way.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    // The tests run from artifacts/bin/Millrace.Tests/<configuration>.
    private static string Configuration => Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));

    /// <summary>Starts a broker and waits until it says that it is ready.</summary>
    /// <param name="dataDirectory">Where it keeps its local files.</param>
    /// <param name="arguments">Further arguments of <c>millrace start</c>.</param>
    public static Task<MillraceProcess> StartAsync(string dataDirectory, params string[] arguments) => StartAsync(dataDirectory, [], arguments);

    /// <summary>As above, with further environment variables.</summary>
    public static Task<MillraceProcess> StartAsync(
        string dataDirectory, IReadOnlyList<(string Name, string Value)> environment, params string[] arguments) =>
        StartAsync(Program, [], dataDirectory, environment, arguments);

    /// <summary>As above, by a process that may have so many files and sockets open.</summary>
    public static Task<MillraceProcess> StartWithinAsync(string dataDirectory, int descriptors, params string[] arguments) =>
        StartAsync("prlimit", [$"--nofile={descriptors}", Program], dataDirectory, [], arguments);

    /// <summary>By a whole command line of the caller's, which comes to <c>millrace start</c> in the same process.</summary>
    public static Task<MillraceProcess> StartByAsync(string program, params string[] arguments) => StartAsync(program, arguments, []);

    /// <summary>Another program than <see cref="Program"/>, with an empty environment.</summary>
    public static Task<MillraceProcess> StartBareAsync(string program, string dataDirectory) => StartAsync("env", ["-i", program], dataDirectory, [], []);

    private static Task<MillraceProcess> StartAsync(
        string program, string[] before, string dataDirectory, IReadOnlyList<(string Name, string Value)> environment, string[] arguments)
    {
        // A configuration has listeners of its own.
        string[] all = arguments.Contains("--listen") || arguments.Contains("--config")
            ? ["start", "--data-dir", dataDirectory, .. arguments]
            : ["start", "--data-dir", dataDirectory, "--listen", "127.0.0.1:0", .. arguments];
        return StartAsync(program, [.. before, .. all], environment);
    }

    private static async Task<MillraceProcess> StartAsync(string program, string[] arguments, IReadOnlyList<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        var log = new StringBuilder();
        process.ErrorDataReceived += (_, line) => Append(log, line.Data);
        process.BeginErrorReadLine();
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var ready = await process.StandardOutput.ReadLineAsync(limit.Token);
            var address = ReadyAddress().Match(ready ?? "");
            if (!address.Success)
            {
                await process.WaitForExitAsync(limit.Token);
                throw new InvalidOperationException(
                    $"{program} {string.Join(' ', arguments)} did not become ready but ended with {process.ExitCode}: {ready}\n{log}");
            }

            return new MillraceProcess(process, log, address);
        }
        catch (Exception failure)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            if (failure is OperationCanceledException)
            {
                lock (log)
                {
                    throw new TimeoutException($"{program} {string.Join(' ', arguments)} was not ready in time:\n{log}");
                }
            }

            throw;
        }
    }

    /// <summary>
    /// The ports of its listeners for clients, which are so many, by their names. What is logged may come later than the word that it is ready.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, int>> PortsAsync(int listeners)
    {
        Dictionary<string, int> found = [];
        return await Eventually.BecomesTrueAsync(() => (found = Ports()).Count == listeners) ? found : throw new TimeoutException(Log);
    }

    /// <summary>Dies at once, as by a power cut of the process: no handler of its own runs.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to stop (SIGTERM) and returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Sends STOP, CONT, TERM, … to the broker.</summary>
    public Task SignalAsync(string signal) => Tool.RunAsync("kill", [$"-{signal}", $"{_process.Id}"]);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private Dictionary<string, int> Ports() => Listening().Matches(Log)
        .Where(match => match.Groups[2].Value != ListenerName.Internal.Value)
        .ToDictionary(match => match.Groups[2].Value, match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

    private static void Append(StringBuilder log, string? line)
    {
        lock (log)
        {
            log.AppendLine(line);
        }
    }

    [GeneratedRegex(@"Listening on 127\.0\.0\.1:(\d+) \((\w+)\)")]
    private static partial Regex Listening();

    [GeneratedRegex(@"^ready ([\w.\-]+:\d+) (http://\S+) node (\d+) \((.+)\) of cluster ([\w-]{22})$")]
    private static partial Regex ReadyAddress();
}
