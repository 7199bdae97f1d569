using System.Globalization;
using System.Text.Json.Nodes;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Balancing;

/// <summary>A cluster of three brokers under a load that is uneven, and a fourth.</summary>
internal sealed class BalanceRun(ClusterUnderTest cluster, int topics, int partitions, double even, WriterOptions writing)
{
    private const string Busy = "busy";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly BrokerLoads _loads = new(cluster);

    public async Task MeasureAsync()
    {
        List<Application> applications = [];
        try
        {
            // All on the one that is no controller, so that it can be lost with its moves remembered.
            var controller = cluster.Controller();
            int[] others = [.. Enumerable.Range(0, cluster.Count).Where(index => index != controller)];
            cluster.CreateTopic(Busy, partitions, others[0]);
            string[] quiet = [.. Enumerable.Range(0, topics).Select(index => $"quiet-{index}")];
            Array.ForEach(quiet, topic => cluster.CreateTopic(topic, partitions));
            foreach (var topic in (string[])[Busy, .. quiet])
            {
                cluster.WaitForLeaders(topic, partitions, Limit);
                var rate = topic == Busy ? writing : writing with { RecordsPerSecond = writing.RecordsPerSecond / 10 };
                applications.Add(new Application(cluster.BootstrapServers, topic, partitions, rate));
            }

            applications.ForEach(static application => application.ProbeAll().Wait(Limit));
            await MeasureAsync(applications, controller, drained: others[0], killed: others[1]);
        }
        finally
        {
            applications.ForEach(static application => application.Dispose());
        }
    }

    private async Task MeasureAsync(List<Application> applications, int controller, int drained, int killed)
    {
        Console.WriteLine(FormattableString.Invariant(
            $"A topic of {partitions} partitions with {writing.RecordsPerSecond:F0} records of {writing.RecordBytes} bytes a second, all led by one of three ")
            + FormattableString.Invariant($"brokers, and {topics} topics with a tenth of that each; even is where nobody has more than {even:F2} times the ")
            + "mean.\n");
        Console.WriteLine(
            "| | the busiest before, by the mean | even after, s | of that before the first move, s | moves | a record, p50, ms | p99 | largest "
            + "| gap, largest, ms |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        var joined = cluster.Count;
        await StepAsync("as it begins", applications, [controller, drained, killed], static () => { });
        await StepAsync("undisturbed for ten seconds", applications, [controller, drained, killed], static () => Thread.Sleep(Quiet));
        await StepAsync("a fourth joins", applications, [controller, drained, killed, joined], () => cluster.Add());
        await StepAsync(
            "one is drained", applications, [controller, killed, joined],
            () => cluster.Command($"broker drain {ClusterUnderTest.NameOf(drained)} --wait --timeout {Limit.TotalSeconds:F0}"));
        await StepAsync("one is killed", applications, [controller, joined], () => cluster.Kill(killed));
        await StepAsync(
            "both are back", applications, [controller, drained, killed, joined],
            () =>
            {
                cluster.Restart(killed);
                cluster.Command($"broker undrain {ClusterUnderTest.NameOf(drained)} --wait --timeout {Limit.TotalSeconds:F0}");
            });

        var records = applications.Sum(application => application.Check(Limit));
        await ClusterCheck.WaitAsync(cluster, Limit);
        Console.WriteLine(
            $"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is. No producer and no group saw an error, and "
            + $"groups read each record. {applications.Sum(application => application.Rebalances)} rebalances.");
    }

    private async Task StepAsync(string what, List<Application> applications, int[] serving, Action act)
    {
        var before = await _loads.ExcessAsync([.. serving.Where(index => index < cluster.Count && cluster.IsRunning(index))]);
        var moved = History().Count;
        applications.ForEach(static application => application.LongestGaps());
        int[] seen = [.. applications.Select(application => application.Latencies().Length)];
        var began = DateTime.UtcNow;
        act();
        var acted = DateTime.UtcNow - began;
        var lasted = acted + await _loads.WaitForEvenAsync(serving, even, Limit);

        var moves = History();
        var first = moves.Count > moved ? (moves[moved] - began).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture) : "–";
        var gap = applications.SelectMany(application => application.LongestGaps()).Max().TotalMilliseconds;
        var latencies = new Sample(applications.Zip(seen).SelectMany(pair => pair.First.Latencies().Skip(pair.Second)));
        Console.WriteLine(FormattableString.Invariant(
            $"| {what} | {before:F2} | {lasted.TotalSeconds:F1} | {first} | {moves.Count - moved} | {latencies.At(0.5):F1} | {latencies.At(0.99):F1} ")
            + FormattableString.Invariant($"| {latencies.At(1):F0} | {gap:F0} |"));
    }

    /// <summary>When each of the moves was begun that the controller remembers.</summary>
    private List<DateTime> History() =>
    [
        .. cluster.Command("balancer history --json")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => DateTime.Parse((string)JsonNode.Parse(row)!["at"]!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal)),
    ];
}
