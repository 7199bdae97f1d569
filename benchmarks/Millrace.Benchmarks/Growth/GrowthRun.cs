using System.Diagnostics;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Growth;

/// <summary>A cluster that gets so many partitions, of which those of one topic then move.</summary>
/// <param name="cluster">A new one.</param>
/// <param name="log">Its metadata.</param>
/// <param name="partitions">How many it gets.</param>
/// <param name="each">Of each topic.</param>
/// <param name="settling">Before its memory is looked at.</param>
internal sealed class GrowthRun(ClusterUnderTest cluster, MetadataLogFolder log, int partitions, int each, TimeSpan settling)
{
    /// <summary>What its row stands below.</summary>
    public const string Head =
        "| brokers | partitions | at rest before, MB | then, MB, the controller's first | created, s | open, s | log, bytes a partition "
        + "| log, bytes a move | log, entries a second | moves a second | requests to the controller a second |\n|---|---|---|---|---|---|---|---|---|---|---|";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);

    /// <param name="moves">How often one topic's partitions move; never where there is one broker.</param>
    public async Task MeasureAsync(int moves)
    {
        await Task.Delay(settling);
        var (idle, newest, began) = (Memory(), log.Newest(), Stopwatch.GetTimestamp());
        var topics = Enumerable.Range(0, (partitions + each - 1) / each).Select(index => $"growth-{index}").ToArray();
        foreach (var (index, topic) in topics.Index())
        {
            cluster.CreateTopic(topic, Math.Min(each, partitions - (index * each)));
        }

        var created = Stopwatch.GetElapsedTime(began);
        await WaitUntilOpenAsync();
        var open = Stopwatch.GetElapsedTime(began);
        var bytes = log.Since(newest).Bytes;
        await Task.Delay(settling);
        Console.Write(FormattableString.Invariant(
            $"| {cluster.Count} | {partitions} | {idle} | {Memory()} | {created.TotalSeconds:F1} | {open.TotalSeconds:F1} | {(double)bytes / partitions:F1} "));
        Console.WriteLine(cluster.Count > 1 ? await MoveAsync(topics[0], Math.Min(each, partitions), moves) : "| | | | |");
    }

    /// <returns>The rest of the row.</returns>
    private async Task<string> MoveAsync(string topic, int count, int moves)
    {
        await cluster.MoveAsync(topic, 0, Limit);
        var (newest, requests, began) = (log.Newest(), Requests(), Stopwatch.GetTimestamp());
        for (var move = 1; move <= moves; move++)
        {
            await cluster.MoveAsync(topic, move % cluster.Count, Limit);
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var (entries, bytes) = log.Since(newest);
        await ClusterCheck.WaitAsync(cluster, Limit);
        double moved = count * moves;
        return FormattableString.Invariant($"| {bytes / moved:F1} | {entries / seconds:F0} | {moved / seconds:F0} | {(Requests() - requests) / seconds:F0} |");
    }

    /// <summary>Of each broker, in megabytes.</summary>
    private string Memory()
    {
        var controller = cluster.Controller();
        return string.Join(", ", Enumerable.Range(0, cluster.Count).OrderBy(index => index != controller).Select(index =>
            FormattableString.Invariant($"{cluster.ResidentMegabytes(index):F0}")));
    }

    private async Task WaitUntilOpenAsync()
    {
        for (var began = Stopwatch.GetTimestamp(); Open() is var open && open < partitions; await Task.Delay(Pace))
        {
            if (Stopwatch.GetElapsedTime(began) > Limit)
            {
                throw new TimeoutException($"{open} of {partitions} partitions are open after {Limit.TotalMinutes:F0} minutes");
            }
        }
    }

    private double Open() => cluster.Metrics()
        .Where(metric => metric.Name == "millrace_partitions" && metric.Label("state") == "Open")
        .Sum(metric => metric.Value);

    /// <summary>All that the controller has answered over the network: other brokers' messages, those that wait for news included.</summary>
    private double Requests() => cluster.Metrics(cluster.Controller())
        .Where(metric => metric.Name == "millrace_request_duration_seconds_count" && metric.Label("otel_scope_name") == "Millrace.Cluster")
        .Sum(metric => metric.Value);
}
