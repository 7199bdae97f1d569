using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>Millrace as a user starts it, on a directory.</summary>
internal sealed partial class MillraceUnderTest : BrokerUnderTest
{
    // millrace.stop.limit.ms, and a moment.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    // Two rings, each as large as the file of a WAL.
    private const long LoopBytes = 513L << 20;

    private readonly Process _process;
    private readonly IDisposable? _device;

    /// <param name="name">For people.</param>
    /// <param name="checkout">Of the program.</param>
    /// <param name="directory">Its data directory.</param>
    /// <param name="log">Gets what it logs, and is owned from now on; null if that is not of interest.</param>
    /// <param name="prefix">What its command line begins with.</param>
    /// <param name="arguments">Of <c>millrace start</c>, beside these.</param>
    public MillraceUnderTest(string name, string checkout, string directory, TextWriter? log, string[] prefix, params string[] arguments)
        : this(name, checkout, directory, log, prefix, device: null, arguments)
    {
    }

    private MillraceUnderTest(
        string name, string checkout, string directory, TextWriter? log, string[] prefix, IDisposable? device, params string[] arguments)
        : base(name)
    {
        _device = device;
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
        Node = int.Parse(NodeId().Match(ready).Groups[1].Value, CultureInfo.InvariantCulture);
        ProcessId = _process.Id;
    }

    /// <summary>With its WAL on a loop device with sectors of 4096 bytes, which goes with it.</summary>
    public static MillraceUnderTest OnLoop(string name, string checkout, string directory)
    {
        var device = LoopDevice.Over(Path.Combine(directory, "loop"), LoopBytes, sector: 4096);
        return new(name, checkout, directory, log: null, prefix: [], device, "--listen", "127.0.0.1:0", "--wal", $"block://{device.Path}?fence=host");
    }

    /// <summary>Where its metrics are.</summary>
    public Uri Http { get; }

    /// <summary>Its id in the cluster.</summary>
    public int Node { get; }

    public bool IsRunning => !_process.HasExited;

    /// <summary>Sends the process a signal, by its name. Nothing happens if it has ended.</summary>
    public void Signal(string name)
    {
        if (!_process.HasExited)
        {
            ProgramRun.Run("kill", $"-{name}", $"{ProcessId}");
        }
    }

    /// <summary>Stops it in good order, and waits for its end.</summary>
    /// <exception cref="TimeoutException">It does not end.</exception>
    public void Stop()
    {
        if (!Ends())
        {
            throw new TimeoutException($"{Name} has not ended {StopLimit.TotalSeconds:F0} s after its SIGTERM");
        }
    }

    /// <summary>Stops it; kills it if it does not end.</summary>
    public override void Dispose()
    {
        if (!Ends())
        {
            Signal("KILL");
        }

        _process.Dispose();
        _device?.Dispose();
    }

    private bool Ends()
    {
        Signal("TERM");

        // Whoever was stopped (SIGSTOP) hears it only then.
        Signal("CONT");
        return _process.WaitForExit(StopLimit);
    }

    [GeneratedRegex(@"[\w.\-]+:\d+")]
    private static partial Regex Address();

    [GeneratedRegex(@" node (\d+) ")]
    private static partial Regex NodeId();
}
