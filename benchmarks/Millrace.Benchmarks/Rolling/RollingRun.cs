using System.Diagnostics;
using System.Text.Json.Nodes;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Rolling;

/// <summary>A cluster under load, all of whose brokers are restarted.</summary>
internal sealed class RollingRun(ClusterUnderTest cluster, int topics, int partitions, TimeSpan pause, WriterOptions writing)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly string[] _topics = [.. Enumerable.Range(0, topics).Select(index => $"rolling-{index}")];

    public async Task MeasureAsync()
    {
        foreach (var topic in _topics)
        {
            cluster.CreateTopic(topic, partitions);
            cluster.WaitForLeaders(topic, partitions, Limit);
        }

        var applications = Array.ConvertAll(_topics, topic => new Application(cluster.BootstrapServers, topic, partitions, writing));
        try
        {
            await MeasureAsync(applications);
        }
        finally
        {
            Array.ForEach(applications, application => application.Dispose());
        }
    }

    private async Task MeasureAsync(Application[] applications)
    {
        Array.ForEach(applications, application => application.ProbeAll().Wait(Limit));
        Array.ForEach(applications, application => application.CatchUp(Limit));
        await Task.Delay(pause);
        Gaps(applications);
        await Task.Delay(pause);
        var undisturbed = Gaps(applications).SelectMany(gaps => gaps).Max();
        Console.WriteLine(FormattableString.Invariant(
            $"{cluster.Count} brokers, {topics} topics of {partitions} partitions; one acknowledges nothing for {undisturbed:F0} ms undisturbed.\n"));
        Console.WriteLine(
            "| broker | partitions | drained, s | stopped, s | ready again, s | has its share, s | its partitions acknowledged nothing, ms | any |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var name in Plan())
        {
            await RestartAsync(name, applications);
        }

        var records = applications.Sum(application => application.Check(Limit));
        var latencies = new Sample(applications.SelectMany(application => application.Latencies()));
        var rebalances = applications.Sum(application => application.Rebalances);
        await ClusterCheck.WaitAsync(cluster, Limit);
        Console.WriteLine("\nFrom sending a record to its acknowledgement, all the time, in ms:\n");
        Console.WriteLine(Sample.Head);
        Console.WriteLine(latencies.Row("a record"));
        Console.WriteLine(
            $"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is. No producer and no group saw an error, and "
            + $"groups read each record. {rebalances} rebalances.");
        if (rebalances > 0)
        {
            throw new InvalidOperationException("Groups were disturbed: a rolling restart must not rebalance them");
        }
    }

    /// <summary>The brokers by name, in the order in which they are to be restarted.</summary>
    private List<string> Plan() =>
    [
        .. cluster.Command("cluster restart-plan --json")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => (string)JsonNode.Parse(row)!["name"]!),
    ];

    private async Task RestartAsync(string name, Application[] applications)
    {
        var index = Enumerable.Range(0, cluster.Count).Single(index => ClusterUnderTest.NameOf(index) == name);
        var led = Array.ConvertAll(_topics, topic => Array.ConvertAll(cluster.LeaderOfEach(topic), leader => leader == index));
        Gaps(applications);
        var drained = Time(() => cluster.Command($"broker drain {name} --wait --timeout {Limit.TotalSeconds:F0}"));
        var stopped = Time(() => cluster.Terminate(index));
        var started = Time(() => cluster.Restart(index));
        var back = Time(() => cluster.Command($"broker undrain {name} --wait --timeout {Limit.TotalSeconds:F0}"));

        // Whoever still waits is to be counted for as long as it does.
        await Task.Delay(pause);
        cluster.Command("cluster health");
        var gaps = Gaps(applications);
        var own = gaps.Index().SelectMany(topic => topic.Item.Where((_, partition) => led[topic.Index][partition])).DefaultIfEmpty().Max();
        var any = gaps.Max(topic => topic.Max());
        var count = led.Sum(topic => topic.Count(isLed => isLed));
        Console.WriteLine(FormattableString.Invariant($"| {name} | {count} | {drained:F2} | {stopped:F2} | {started:F2} | {back:F2} | {own:F0} | {any:F0} |"));
    }

    private static double[][] Gaps(Application[] applications) =>
        Array.ConvertAll(applications, application => Array.ConvertAll(application.LongestGaps(), gap => gap.TotalMilliseconds));

    private static double Time(Action act)
    {
        var began = Stopwatch.GetTimestamp();
        act();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
