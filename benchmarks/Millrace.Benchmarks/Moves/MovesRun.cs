using System.Diagnostics;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Moves;

/// <summary>A cluster under load, whose partitions go round.</summary>
/// <param name="cluster">Just started.</param>
/// <param name="partitions">Of the topic.</param>
/// <param name="moves">After the first from each broker.</param>
/// <param name="pause">After each move.</param>
/// <param name="writing">The load.</param>
/// <param name="client">Who writes; null for librdkafka.</param>
internal sealed class MovesRun(IMovingCluster cluster, int partitions, int moves, TimeSpan pause, WriterOptions writing, OtherClient? client)
{
    private const string Topic = "moves";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public async Task MeasureAsync()
    {
        // At the last: so the first round of moves is the first from each broker.
        cluster.CreateTopic(Topic, partitions, cluster.Count - 1);
        using var writer = StartWriter();
        using var group = new GroupReader(cluster.BootstrapServers, Topic, partitions);
        writer.WaitForAll(Limit);
        group.WaitFor(writer.Count, Limit);
        Gaps(writer);
        await Task.Delay(TimeSpan.FromSeconds(3));
        var undisturbed = Gaps(writer);
        var cold = await MoveAsync(cluster.Count, writer);
        var warm = await MoveAsync(moves, writer);

        writer.Finish();
        group.Finish(writer.Count, Limit);
        LogCheck.Check(cluster.BootstrapServers, Topic, partitions, writer);
        Console.WriteLine(FormattableString.Invariant(
            $"{moves} moves of {partitions} partitions among {cluster.Count} brokers, {client?.Name ?? "librdkafka"} writing, in ms; before them the ")
            + "first move from each broker, cold: by code that has not run yet, to brokers that the client may not know yet.\n");
        Console.WriteLine(Sample.Head);
        warm.Print();
        Console.WriteLine(new Sample(undisturbed).Row("the same, undisturbed for 3 s"));
        cold.Print("cold: ");
        Console.WriteLine(
            $"\n{writer.Count} records: each acknowledged one is in the log once, in order, and nothing else is. No producer and no group saw an "
            + "error, and the group read each record.");
    }

    private static List<double> Gaps(IRecordWriter writer) => [.. writer.LongestGaps().Select(gap => gap.TotalMilliseconds)];

    private IRecordWriter StartWriter() => client is null
        ? new SteadyWriter(cluster.BootstrapServers, Topic, partitions, writing)
        : new ClientProcess(client, cluster.BootstrapServers, Topic, partitions, writing);

    private async Task<MoveTimes> MoveAsync(int count, IRecordWriter writer)
    {
        var before = cluster.Stops();
        var (commands, gaps) = (new List<double>(), new List<double>());
        for (var move = 0; move < count; move++)
        {
            writer.LongestGaps();
            var began = Stopwatch.GetTimestamp();
            await cluster.MoveAsync(Topic, move % cluster.Count, Limit);
            commands.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await Task.Delay(pause);
            gaps.AddRange(Gaps(writer));
        }

        return new MoveTimes(commands, gaps, before is null ? null : cluster.Stops()?.Since(before));
    }
}
