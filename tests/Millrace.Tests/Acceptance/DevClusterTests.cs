using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary><c>millrace dev cluster</c> as a user runs it. The ports that it would like are taken, so that it runs on those of the system.</summary>
public sealed partial class DevClusterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<Socket> _taken = [];

    private readonly ITestOutputHelper _output;

    public DevClusterTests(ITestOutputHelper output)
    {
        _output = output;
        foreach (var port in Enumerable.Range(9092, 3))
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _taken.Add(socket);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                socket.Listen();
            }
            catch (SocketException)
            {
                // Somebody else has it, which does as well.
            }
        }
    }

    public void Dispose()
    {
        _taken.ForEach(socket => socket.Dispose());
        _directory.Dispose();
    }

    [Theory]
    [InlineData("object")]
    [InlineData("file")]
    public async Task It_says_a_line_of_each_broker_tells_of_one_that_dies_stops_all_and_goes_on_with_what_is_there(string wal)
    {
        await using (var first = await RunAsync(wal))
        {
            Assert.Equal(["broker-1", "broker-2", "broker-3"], first.Brokers.Select(broker => broker.Groups["name"].Value));
            Assert.True(await Eventually.BecomesTrueAsync(() => first.Brokers.TrueForAll(LogSaysReady)), first.Errors);
            Assert.Equal(string.Join(',', first.Brokers.Select(broker => broker.Groups["address"].Value)), first.Bootstrap);
            Assert.Contains("is taken: the system chooses one for broker-1", first.Errors, StringComparison.Ordinal);
            var shell = new Shell(first.Bootstrap);
            await shell.RunAsync("topic create kept -p 3 --timeout 60");
            await shell.RunAsync("produce kept --timeout 60", "one\ntwo\nthree\n");
            Assert.Equal(wal == "file" ? 3 : 0, Directory.GetDirectories(_directory.Path, "wal", SearchOption.AllDirectories).Length);

            var killed = first.Brokers[1].Groups["pid"].Value;
            await Tool.RunAsync("kill", ["-KILL", killed]);
            Assert.True(await Eventually.BecomesTrueAsync(
                () => first.Errors.Contains($"broker-2 (pid {killed}) has ended with exit code 137", StringComparison.Ordinal)));
            Assert.Equal(0, await first.StopAsync());
            Assert.All(first.Brokers, broker => Assert.False(Directory.Exists($"/proc/{broker.Groups["pid"].Value}")));
            Assert.True(await Eventually.BecomesTrueAsync(
                () => first.Errors.Contains($"Stopped: broker-1, broker-3. What they hold is in {_directory.Path}.", StringComparison.Ordinal)), first.Errors);
        }

        await using var second = await RunAsync(wal);
        Assert.Equal(
            ["one", "three", "two"], (await new Shell(second.Bootstrap).RunAsync("consume kept --exit --offset start --timeout 60")).Lines.Order());
        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task Ctrl_C_which_a_terminal_sends_to_the_brokers_too_ends_all_in_good_order()
    {
        await using (var first = await RunAsync("object", terminal: true))
        {
            var shell = new Shell(first.Bootstrap);
            await shell.RunAsync("topic create interrupted -p 3 --timeout 60");
            await shell.RunAsync("produce interrupted --timeout 60", "one\ntwo\nthree\n");

            Assert.Equal(0, await first.InterruptAsync());

            foreach (var broker in first.Brokers)
            {
                _output.WriteLine(File.ReadAllText(broker.Groups["log"].Value));
                Assert.False(Directory.Exists($"/proc/{broker.Groups["pid"].Value}"));
            }

            // One whose end came from a signal, ours or that of who lost patience, and not from itself would be told of with its exit code.
            Assert.False(first.Errors.Contains("has ended", StringComparison.Ordinal), first.Errors);
        }

        // All three leave at once: on a machine that is slow enough one of them is taken for dead by then, and what it has is in its WAL.
        await using var second = await RunAsync("object");
        Assert.Equal(
            ["one", "three", "two"],
            (await new Shell(second.Bootstrap).RunAsync("consume interrupted --exit --offset start --timeout 60")).Lines.Order());
        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task A_second_one_on_the_same_folder_ends_and_leaves_the_first_alone()
    {
        await using var first = await RunAsync("object", brokers: 1);

        var second = await Tool.TryRunAsync(
            MillraceProcess.Program, ["dev", "cluster", "--brokers", "1", "--data-dir", _directory.Path], environment: []);
        Assert.Equal((1, ""), (second.ExitCode, second.Output));
        Assert.Contains("broker-1 runs already", second.Errors, StringComparison.Ordinal);
        await new Shell(first.Bootstrap).RunAsync("cluster health");
        Assert.Equal(0, await first.StopAsync());
    }

    [Fact]
    public async Task A_number_of_brokers_that_is_none_is_refused()
    {
        var refused = await Tool.TryRunAsync(MillraceProcess.Program, ["dev", "cluster", "--brokers", "0", "--data-dir", _directory.Path]);

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("--brokers takes a number from 1", refused.Errors, StringComparison.Ordinal);
    }

    /// <summary>A log is written by a thread of its own, which may be behind the line on standard output.</summary>
    private static bool LogSaysReady(Match broker) => File.ReadAllText(broker.Groups["log"].Value).Contains("ready", StringComparison.OrdinalIgnoreCase);

    private async Task<Running> RunAsync(string wal, int brokers = 3, bool terminal = false)
    {
        // In a terminal a command and all it starts are one group of processes, to which the terminal's signals go.
        string[] line = [MillraceProcess.Program, "dev", "cluster", "--brokers", $"{brokers}", "--wal", wal, "--data-dir", _directory.Path];
        var start = new ProcessStartInfo(terminal ? "setsid" : line[0], terminal ? line : line[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var running = new Running(Process.Start(start)!);
        await running.WaitUntilReadyAsync();
        return running;
    }

    [GeneratedRegex(@"^(?<name>\S+) (?<address>\S+:\d+) pid (?<pid>\d+) ready, node \d+, http://\S+, log (?<log>.+)$")]
    private static partial Regex BrokerLine();

    private sealed class Running : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly StringBuilder _errors = new();

        public Running(Process process)
        {
            _process = process;
            process.ErrorDataReceived += (_, line) =>
            {
                lock (_errors)
                {
                    _errors.AppendLine(line.Data);
                }
            };
            process.BeginErrorReadLine();
        }

        public List<Match> Brokers { get; } = [];

        public string Bootstrap { get; private set; } = "";

        public string Errors
        {
            get
            {
                lock (_errors)
                {
                    return _errors.ToString();
                }
            }
        }

        public async Task WaitUntilReadyAsync()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
            while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (line.StartsWith("bootstrap ", StringComparison.Ordinal))
                {
                    Bootstrap = line["bootstrap ".Length..];
                    return;
                }

                Brokers.Add(BrokerLine().Match(line));
                Assert.True(Brokers[^1].Success, line);
            }

            Assert.Fail(Errors);
        }

        /// <summary>Ends it by a signal to it alone.</summary>
        public Task<int> StopAsync() => EndAsync("-TERM", $"{_process.Id}");

        /// <summary>Ends it by the signal of Ctrl-C to its group. Of one that runs as in a terminal.</summary>
        public Task<int> InterruptAsync() => EndAsync("-INT", "--", $"-{_process.Id}");

        private async Task<int> EndAsync(params string[] signal)
        {
            await Tool.RunAsync("kill", signal);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await _process.WaitForExitAsync(limit.Token);
            return _process.ExitCode;
        }

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
            {
                // Its brokers are processes of their own, which only it stops.
                await StopAsync();
            }

            _process.Dispose();
        }
    }
}
