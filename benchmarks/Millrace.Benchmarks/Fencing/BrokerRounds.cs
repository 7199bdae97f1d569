using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Benchmarks.Failover;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Benchmarks.Fencing;

/// <summary>
/// A broker whose WAL lies on a device is frozen under load; another, which reaches the device from a host of its own, fences it and takes its partitions
/// over; then the first wakes, and has to notice. Again and again.
/// </summary>
/// <param name="cluster">Two brokers; the first has its WAL on the device.</param>
/// <param name="device">As a third host sees it.</param>
/// <param name="fillBytes">So much is acknowledged before each freeze.</param>
/// <param name="settling">How long what may land too late is waited for.</param>
internal sealed partial class BrokerRounds(ClusterUnderTest cluster, string device, long fillBytes, TimeSpan settling)
{
    private const int Sleeper = 0;
    private const int Taker = 1;
    private const int Partitions = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    // A client that waits longer for the answer of one that is frozen does not ask the other sooner than that.
    private static readonly WriterOptions Writing = new(RecordsPerSecond: 40, RequestTimeout: TimeSpan.FromSeconds(3), RecordBytes: 16 << 10);

    private readonly NodeRuntime _runtime = new(
        TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);

    private readonly BufferPool _pool = new(256 << 20);
    private readonly BrokerLog _sleepers = new(cluster.LogOf(Sleeper));
    private readonly BrokerLog _takers = new(cluster.LogOf(Taker));
    private readonly List<(string Topic, SteadyWriter Writer)> _written = [];
    private int _lateAcknowledged;

    /// <exception cref="InvalidDataException">The one that was fenced has written, or acknowledged what is not there.</exception>
    /// <exception cref="InvalidOperationException">Something was lost, doubled, out of order or altered.</exception>
    /// <exception cref="TimeoutException">Something does not come.</exception>
    public async Task RunAsync(int rounds)
    {
        Console.WriteLine(Row(
            "round", "controller", "it wakes", "fenced after, s", "fenced and sealed, ms", "MiB recovered", "to read 100 MiB, ms", "to commit 100 MiB, ms",
            "all acknowledged again, s", "it noticed after, s", "it was back after, s", "acknowledged", "found", "later writes", "asked while frozen"));
        Console.WriteLine(Row([.. Enumerable.Repeat("---", 15)]));
        try
        {
            for (var round = 1; round <= rounds; round++)
            {
                await RunOneAsync(round);
            }

            // It is as good a broker as before.
            (await WriteAsync("afterwards")).Finish();
            foreach (var (topic, writer) in _written)
            {
                LogCheck.Check(cluster.BootstrapServers, topic, Partitions, writer);
            }
        }
        finally
        {
            _written.ForEach(one => one.Writer.Dispose());
        }

        Console.WriteLine(FormattableString.Invariant(
            $"\n{rounds} take-overs: {_written.Sum(one => one.Writer.Count)} records were acknowledged, and each is there once, in order, as it was sent;"));
        Console.WriteLine("nothing else is. Where the device had another holder while the fenced broker was awake, nothing on it has changed.");
        Console.WriteLine(FormattableString.Invariant(
            $"Of {rounds} records that it was sent while it was frozen it acknowledged {_lateAcknowledged}, each of which is there."));
    }

    private async Task RunOneAsync(int round)
    {
        // In every second round it wakes when the other reaches for its device, and writes on as long as the device lets it.
        var wakesEarly = round % 2 == 0;
        if (round % 3 == 0)
        {
            // Then the one that is frozen is the controller, and the other has to take that place first.
            cluster.Kill(Taker);
            cluster.Restart(Taker);
            await ClusterCheck.WaitAsync(cluster, Limit);
        }

        var lateTopic = $"late-{round}";
        cluster.CreateTopic(lateTopic, partitions: 1, Sleeper);
        using var late = new LateRecord(cluster.Client(Sleeper), lateTopic);
        var writer = await WriteAsync($"round-{round}");
        _sleepers.Forget();
        _takers.Forget();
        var controller = cluster.Controller();

        cluster.Stop(Sleeper);
        var frozen = DateTimeOffset.UtcNow;
        late.Send();
        var probe = writer.ProbeAll();
        var (fenced, _) = await _takers.WaitAsync(TakesHold(), Limit);
        var woken = DateTimeOffset.UtcNow;
        if (wakesEarly)
        {
            cluster.Continue(Sleeper);
        }

        // Not as the recovery has it: one that was cut short finds the log sealed when it begins again.
        var (ended, _) = await _takers.WaitAsync(IsSealed(), Limit);
        var (_, recovered) = await _takers.WaitAsync(Recovered(), Limit);
        var served = probe.Wait(Limit)[^1];
        var wokenAgain = woken;
        if (!wakesEarly)
        {
            (woken, wokenAgain) = await WakeAsync();
        }

        var (noticed, _) = await _sleepers.WaitAsync(IsOver(), Limit);
        var (back, _) = await _sleepers.WaitAsync(IsBack(), Limit);
        writer.Finish();
        await ClusterCheck.WaitAsync(cluster, Limit);
        var found = LogCheck.Read(cluster.BootstrapServers, $"round-{round}", Partitions).Sum();
        var (isAcknowledged, answer) = await late.CheckAsync(cluster.BootstrapServers, Limit);
        if (isAcknowledged && !wakesEarly)
        {
            throw new InvalidDataException($"The broker acknowledged a record after another had taken its place: {answer}");
        }

        _lateAcknowledged += isAcknowledged ? 1 : 0;
        var hundreds = Number("bytes") / (100 << 20);
        Console.WriteLine(Row(
            $"{round}", controller == Sleeper ? "itself" : "the other", wakesEarly ? "as it is fenced" : "when all is served", Seconds(fenced - frozen),
            Whole((ended - fenced).TotalMilliseconds), Whole(hundreds * 100), Whole(Number("reading") / hundreds), Whole(Number("committing") / hundreds),
            Seconds(served), Seconds(noticed - woken), Seconds(back - wokenAgain), $"{writer.Count}", $"{found}", wakesEarly ? "–" : "none", answer));

        double Number(string group) => double.Parse(recovered.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>Writes to a new topic that the one with the device leads, until enough is acknowledged; and on.</summary>
    private async Task<SteadyWriter> WriteAsync(string topic)
    {
        cluster.CreateTopic(topic, Partitions, Sleeper);
        var writer = new SteadyWriter(cluster.BootstrapServers, topic, Partitions, Writing);
        _written.Add((topic, writer));
        var began = Stopwatch.GetTimestamp();
        while (writer.Count * Writing.RecordBytes < fillBytes)
        {
            if (Stopwatch.GetElapsedTime(began) > Limit)
            {
                throw new TimeoutException($"Of {topic} {writer.Count} records are acknowledged after {Limit.TotalSeconds:F0} s");
            }

            await Task.Delay(10);
        }

        return writer;
    }

    /// <summary>
    /// Wakes the broker for as long as it does not know that it is fenced, and looks whether anything was written meanwhile: before it comes again, and has its
    /// device back.
    /// </summary>
    /// <returns>When it woke first, and when again.</returns>
    private async Task<(DateTimeOffset First, DateTimeOffset Again)> WakeAsync()
    {
        var before = await DeviceChecksum.OfAsync(device, _runtime, _pool);
        var woken = DateTimeOffset.UtcNow;
        cluster.Continue(Sleeper);
        await _sleepers.WaitAsync(IsOver(), Limit);
        cluster.Stop(Sleeper);
        await Task.Delay(settling);
        if (_sleepers.Find(TakesHold()) is not null)
        {
            throw new InvalidOperationException("The broker had its device back before it could be stopped again, so that nothing is known of its late writes");
        }

        if (await DeviceChecksum.OfAsync(device, _runtime, _pool) != before)
        {
            throw new InvalidDataException("The device has changed since it was taken over: a write of the fenced broker has landed");
        }

        var again = DateTimeOffset.UtcNow;
        cluster.Continue(Sleeper);
        return (woken, again);
    }

    private static string Row(params string[] cells) => $"| {string.Join(" | ", cells)} |";

    private static string Seconds(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:F1}");

    private static string Whole(double number) => FormattableString.Invariant($"{number:F0}");

    [GeneratedRegex("Takes hold of ")]
    private static partial Regex TakesHold();

    [GeneratedRegex("Sealed the WAL .* blocks of ")]
    private static partial Regex IsSealed();

    [GeneratedRegex(@"Recovered \d+ streams .* (?<bytes>\d+) bytes .* read in (?<reading>\d+) ms, committed in (?<committing>\d+) ms")]
    private static partial Regex Recovered();

    [GeneratedRegex("is over, and its connections are closed: ")]
    private static partial Regex IsOver();

    [GeneratedRegex("has taken the place of the former incarnation, and serves after ")]
    private static partial Regex IsBack();
}
