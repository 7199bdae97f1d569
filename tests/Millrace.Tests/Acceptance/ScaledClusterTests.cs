using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>A cluster that has brokers started and stopped by its load.</summary>
public sealed class ScaledClusterTests
{
    private const int Partitions = 6;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Starts the second broker, and stops it when it is the victim, whom it must not lead anything then.
    private const string Script = """
        #!/bin/sh
        cd "$(dirname "$0")"
        echo "$MILLRACE_SCALER_CURRENT $MILLRACE_SCALER_DESIRED $MILLRACE_SCALER_VICTIM_NAME" >> told
        if [ -z "$MILLRACE_SCALER_VICTIM" ]; then
            PROGRAM start ARGUMENTS --name second --data-dir ./second > ready 2> log < /dev/null &
            echo $! > pid
        else
            kill -TERM $(cat pid)
            while grep -q . /proc/$(cat pid)/cmdline 2> /dev/null; do sleep 0.1; done
        fi
        """;

    [Fact]
    public async Task A_command_starts_a_broker_under_load_and_stops_it_when_that_is_over_and_it_leads_nothing_and_no_client_hears_of_it()
    {
        using var directory = new TemporaryDirectory();
        var arguments = $"--listen 127.0.0.1:0 --wal object --store file://{directory.Sub("store")}";
        var folder = Directory.CreateDirectory(directory.Sub("hook")).FullName;
        var script = Path.Combine(folder, "hook");
        await File.WriteAllTextAsync(
            script, Script.Replace("PROGRAM", MillraceProcess.Program, StringComparison.Ordinal).Replace("ARGUMENTS", arguments, StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        try
        {
            await using var first = await MillraceProcess.StartAsync(
                directory.Sub("first"),
                [
                    .. arguments.Split(' '), "--name", "first",
                    .. Set("command", $"sh {script}"), .. Set("mode", "on"), .. Set("max.brokers", "2"), .. Set("target.bytes.per.second", "20000"),
                    .. Set("target.cpu.ratio", "1"), .. Set("out.after.ms", "0"), .. Set("in.after.ms", "0"), .. Set("out.cooldown.ms", "0"),
                    .. Set("in.cooldown.ms", "0"),
                ]);
            await RunAsync(first, folder);
        }
        finally
        {
            End(folder);
        }
    }

    private static async Task RunAsync(MillraceProcess first, string folder)
    {
        var shell = new Shell(first.BootstrapServers);
        await TestTopic.CreateAsync(first.BootstrapServers, "scaled", Partitions);
        using var load = new Load(first.BootstrapServers, "scaled", Partitions, producers: 1);

        Assert.True(await Eventually.BecomesTrueAsync(() => Lines(folder, "ready").Length > 0), first.Log);
        var second = Lines(folder, "ready")[0].Split(' ');
        await shell.RunAsync($"partition move scaled:0,1 --to {second[4]} --timeout 60");
        await load.WaitForMoreAsync(200, Limit);

        // It is no controller, and asks the one that is.
        using var http = new HttpClient();
        var told = JsonNode.Parse(await http.GetStringAsync(new Uri($"{second[2]}/cluster/scaling"), TestContext.Current.CancellationToken))!;
        Assert.Equal((2, 2, first.Node), ((int)told["current"]!, (int)told["desired"]!, (int)told["controller"]!));

        load.Stop(Limit);
        using var quiet = new Load(first.BootstrapServers, "scaled", Partitions, producers: 1, recordBytes: 10, name: "q", recordsPerSecond: 50);
        Assert.True(await Eventually.BecomesTrueAsync(() => HasStopped(folder)), first.Log);
        var status = JsonNode.Parse((await shell.RunAsync("scaler status --json --timeout 60")).Lines[0])!;
        Assert.Equal(("on", $"2 → 1, without broker {second[4]}"), ((string)status["mode"]!, (string)status["told"]!));
        await quiet.WaitForMoreAsync(50, Limit);

        Assert.Equal(["1 2 ", "2 1 second"], Lines(folder, "told"));
        Assert.Contains($"Broker {second[4]} is drained", first.Log, StringComparison.Ordinal);
        quiet.Stop(Limit);
        Assert.Empty(load.Failures.Concat(quiet.Failures));
        LogContent.Read(first.BootstrapServers, "scaled", Partitions).AssertHolds([.. load.Acknowledged, .. quiet.Acknowledged]);
    }

    private static string[] Set(string name, string value) => ["--set", $"millrace.scaler.{name}={value}"];

    private static string[] Lines(string folder, string file) =>
        File.Exists(Path.Combine(folder, file)) ? File.ReadAllLines(Path.Combine(folder, file)) : [];

    // Cleanly, says the last that it logs.
    private static bool HasStopped(string folder) => Lines(folder, "log").Any(line => line.Contains("Stopped: everything", StringComparison.Ordinal));

    /// <summary>The broker that the command has started, should it still run.</summary>
    private static void End(string folder)
    {
        if (Lines(folder, "pid") is [var pid] && Directory.Exists($"/proc/{pid}"))
        {
            using var process = Process.GetProcessById(int.Parse(pid, CultureInfo.InvariantCulture));
            process.Kill();
        }
    }
}
