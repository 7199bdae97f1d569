using System.Diagnostics;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Moves;

/// <summary>A cluster under load, whose partitions go round.</summary>
internal sealed class MovesRun(ClusterUnderTest cluster, int partitions, int moves, TimeSpan pause, WriterOptions writing)
{
    private const string Topic = "moves";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public async Task MeasureAsync()
    {
        cluster.CreateTopic(Topic, partitions);
        using var application = new Application(cluster.BootstrapServers, Topic, partitions, writing);
        application.ProbeAll().Wait(Limit);
        application.CatchUp(Limit);
        await Task.Delay(TimeSpan.FromSeconds(3));
        var undisturbed = Gaps(application);

        var (commands, gaps) = (new List<double>(), new List<double>());
        for (var move = 0; move < moves; move++)
        {
            application.LongestGaps();
            var began = Stopwatch.GetTimestamp();
            await cluster.MoveAsync(Topic, move % cluster.Count, Limit);
            commands.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await Task.Delay(pause);
            gaps.AddRange(Gaps(application));
        }

        application.CatchUp(Limit);
        var records = application.Check();
        var stops = StopTimes.Read(cluster);
        Console.WriteLine($"{moves} moves of {partitions} partitions among {cluster.Count} brokers, in ms:\n");
        Console.WriteLine("| | p50 | p90 | p99 | largest | of |");
        Console.WriteLine("|---|---|---|---|---|---|");
        Console.WriteLine(FormattableString.Invariant(
            $"| a partition stops, at most | {stops.AtMost(0.5)} | {stops.AtMost(0.9)} | {stops.AtMost(0.99)} | {stops.AtMost(1)} | {stops.Count} |"));
        Tell("the command takes", commands);
        Tell("a client's largest time between acknowledgements of a partition that moves", gaps);
        Tell("the same, undisturbed for 3 s", undisturbed);
        Console.WriteLine(
            $"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is. No producer saw an error; "
            + $"the group saw {application.GroupErrors}, and read each record.");
    }

    private static List<double> Gaps(Application application) => [.. application.LongestGaps().Select(gap => gap.TotalMilliseconds)];

    private static void Tell(string what, List<double> values)
    {
        values.Sort();
        Console.WriteLine(FormattableString.Invariant(
            $"| {what} | {At(values, 0.5):F1} | {At(values, 0.9):F1} | {At(values, 0.99):F1} | {At(values, 1):F1} | {values.Count} |"));
    }

    private static double At(List<double> sorted, double share) =>
        sorted.Count == 0 ? double.NaN : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];
}
