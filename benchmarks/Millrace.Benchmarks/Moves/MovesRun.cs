using System.Diagnostics;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Moves;

/// <summary>A cluster under load, whose partitions go round.</summary>
internal sealed class MovesRun(IMovingCluster cluster, int partitions, int moves, TimeSpan pause, WriterOptions writing)
{
    private const string Topic = "moves";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public async Task MeasureAsync()
    {
        cluster.CreateTopic(Topic, partitions);
        using var application = new Application(cluster.BootstrapServers, Topic, partitions, writing);
        application.ProbeAll().Wait(Limit);
        application.CatchUp(Limit);
        Gaps(application);
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

        var records = application.Check(Limit);
        Console.WriteLine($"{moves} moves of {partitions} partitions among {cluster.Count} brokers, in ms:\n");
        Console.WriteLine(Sample.Head);
        if (cluster.Stops() is { } stops)
        {
            Console.WriteLine(FormattableString.Invariant(
                $"| a partition stops, at most | {stops.AtMost(0.5)} | {stops.AtMost(0.9)} | {stops.AtMost(0.99)} | {stops.AtMost(1)} | {stops.Count} |"));
        }

        Console.WriteLine(new Sample(commands).Row("the command takes"));
        Console.WriteLine(new Sample(gaps).Row("a client's largest time between acknowledgements of a partition that moves"));
        Console.WriteLine(new Sample(undisturbed).Row("the same, undisturbed for 3 s"));
        Console.WriteLine(
            $"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is. No producer and no group saw an "
            + "error, and the group read each record.");
    }

    private static List<double> Gaps(Application application) => [.. application.LongestGaps().Select(gap => gap.TotalMilliseconds)];
}
