using System.Diagnostics;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// What a power cut would leave: the system calls of a broker show that its answer to a producer leaves only after the kernel
/// has said that the record is on the medium.
/// </summary>
public sealed partial class SyncCallTests
{
    private const string Marker = "seen-in-the-trace";

    [Theory]
    [InlineData("buffered")]
    [InlineData("direct")]
    public async Task An_acknowledgement_leaves_after_the_write_to_the_WAL_and_its_sync(string mode)
    {
        Assert.SkipUnless(Tool.IsInstalled("strace"), "strace is not installed: run .ci/run, or apt-get install strace");
        using var directory = new TemporaryDirectory();
        var wal = directory.Sub("wal");
        await using var broker = await MillraceProcess.StartAsync(
            directory.Sub("data"), "--wal", $"file://{wal}?mode={mode}", "--set", "millrace.upload.interval.ms=60000");
        await TestTopic.CreateAsync(broker.BootstrapServers, "trace", 1);
        var calls = await TraceAsync(broker, directory.Sub("trace"));

        var write = calls.FindIndex(call =>
            call.Contains(Marker, StringComparison.Ordinal)
            && call.Contains("write", StringComparison.Ordinal)
            && call.Contains(wal, StringComparison.Ordinal));
        Assert.True(write >= 0, "The record was not seen on its way to the WAL:\n" + string.Join('\n', calls));
        var sync = calls.FindIndex(write, call => Synced().IsMatch(call) && call.Contains(wal, StringComparison.Ordinal));
        Assert.True(sync > write, "No sync that succeeded followed the write:\n" + string.Join('\n', calls.Skip(write)));
        var answer = calls.FindIndex(call => call.Contains("send", StringComparison.Ordinal) && call.Contains("trace", StringComparison.Ordinal));
        Assert.True(answer > sync, "The answer left before the sync:\n" + string.Join('\n', calls.Skip(Math.Min(answer, write))));
    }

    /// <summary>Produces one record under strace and returns the calls in the order of their completion.</summary>
    private static async Task<List<string>> TraceAsync(MillraceProcess broker, string file)
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = broker.BootstrapServers }).Build();
        // Everything that only the first record needs happens before the trace.
        await producer.ProduceAsync("trace", new Message<Null, string> { Value = "first" });
        using var strace = Process.Start(new ProcessStartInfo(
            "strace",
            ["-f", "-y", "-s", "400", "-e", "trace=pwrite64,pwritev,pwritev2,fdatasync,fsync,sendmsg,sendto", "-o", file, "-p", $"{broker.ProcessId}"])
        {
            RedirectStandardError = true,
        })!;
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (await strace.StandardError.ReadLineAsync(limit.Token) is { } line && !line.Contains("attached", StringComparison.Ordinal))
            {
            }

            await producer.ProduceAsync("trace", new Message<Null, string> { Value = Marker });
        }
        finally
        {
            // INT lets it detach; the broker goes on.
            await Tool.RunAsync("kill", ["-INT", $"{strace.Id}"]);
            await strace.WaitForExitAsync();
        }

        return Calls(await File.ReadAllLinesAsync(file));
    }

    // A call that another thread interrupts is printed in two parts: "12 pwritev(… <unfinished ...>" and "12 <... pwritev resumed>…) = 1".
    private static List<string> Calls(IEnumerable<string> lines)
    {
        var begun = new Dictionary<string, string>();
        var calls = new List<string>();
        foreach (var line in lines)
        {
            var thread = line.Split(' ', 2)[0];
            if (line.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                begun[thread] = line;
            }
            else
            {
                calls.Add(line.Contains("resumed>", StringComparison.Ordinal) && begun.Remove(thread, out var start) ? start + line : line);
            }
        }

        return calls;
    }

    [GeneratedRegex(@"(fdatasync|fsync)\(.*= 0$")]
    private static partial Regex Synced();
}
