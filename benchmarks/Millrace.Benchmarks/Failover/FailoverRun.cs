using System.Diagnostics;
using Millrace.Benchmarks.Moves;

namespace Millrace.Benchmarks.Failover;

/// <summary>A cluster under load, which something befalls again and again.</summary>
internal sealed class FailoverRun(ClusterUnderTest cluster, FailoverOptions options)
{
    private const string OffsetsTopic = "__consumer_offsets";
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly Random _random = new(1);
    private readonly Fault[] _any =
        [.. Enum.GetValues<Fault>().Where(fault => fault is not (Fault.All or Fault.Any) && (fault != Fault.Cut || cluster.CanCut))];

    private readonly string[] _topics = [.. Enumerable.Range(0, options.Topics).Select(index => $"failover-{index}")];

    /// <summary>Lets it befall the cluster so many times, and checks at the end that nothing was lost, doubled or reordered.</summary>
    public async Task MeasureAsync(Fault fault)
    {
        foreach (var topic in _topics)
        {
            cluster.CreateTopic(topic, options.Partitions);
            cluster.WaitForLeaders(topic, options.Partitions, Limit);
        }

        var applications =
            Array.ConvertAll(_topics, topic => new Application(cluster.BootstrapServers, topic, options.Partitions, options.Writing));
        try
        {
            await MeasureAsync(fault, applications);
        }
        finally
        {
            Array.ForEach(applications, application => application.Dispose());
        }
    }

    private async Task MeasureAsync(Fault wanted, Application[] applications)
    {
        ProbeAll(applications);
        CatchUp(applications);
        Thread.Sleep(Settling);
        Console.WriteLine($"Undisturbed, all have acknowledged after {After(ProbeAll(applications), 1)} s.\n");
        using var moves = options.Moves ? new RandomMoves(cluster, [.. _topics, OffsetsTopic]) : null;
        using var changes = options.ChangesWals ? new WalChanges(cluster, _topics, options.Topics * options.Partitions) : null;
        Console.WriteLine("| round | what | lost their leader | half of all acknowledged again after, s | 99 % | all | group has read all, s | fences |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        var clock = Stopwatch.StartNew();
        for (var round = 1; options.Time is { } time ? clock.Elapsed < time : round <= options.Rounds; round++)
        {
            Thread.Sleep(options.Pause);
            var fault = wanted == Fault.Any ? _any[_random.Next(_any.Length)] : wanted;
            var victims = Choose(fault, round);
            var (led, fences) = (Leaders(), FenceCounts.Read(cluster));
            var over = Hit(fault, victims);
            var began = Stopwatch.StartNew();
            var after = Wait(Array.ConvertAll(applications, application => application.ProbeAll()));
            CatchUp(applications);
            var (read, lost) = (began.Elapsed, victims.Sum(victim => led[victim]));
            Mend(fault, victims, over);

            // Whoever counted is gone where brokers are killed.
            var given = Passes(fault) ? FenceCounts.Read(cluster).Since(fences) : "";
            Console.WriteLine(FormattableString.Invariant(
                $"| {round} | {fault} | {lost} | {After(after, 0.5)} | {After(after, 0.99)} | {After(after, 1)} | {read.TotalSeconds:F2} | {given} |"));
        }

        if (moves is not null)
        {
            var moved = moves.Stop();
            var partitions = await ClusterCheck.WaitAsync(cluster, Limit);
            Console.WriteLine($"\n{moved}. Each of {partitions} partitions has one leader, which lives, and none is on its way.");
        }

        if (changes is not null)
        {
            Console.WriteLine($"\n{changes.Stop()}.");
        }

        var records = applications.Sum(application => application.Check(Limit));
        Console.WriteLine($"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is. No producer and no group saw an");
        Console.WriteLine("error, and groups read each record.\n");
    }

    private static TimeSpan[] ProbeAll(Application[] applications) => Wait(Array.ConvertAll(applications, application => application.ProbeAll()));

    private static TimeSpan[] Wait(Probe[] probes) => [.. probes.SelectMany(probe => probe.Wait(Limit)).Order()];

    private static void CatchUp(Application[] applications) => Array.ForEach(applications, application => application.CatchUp(Limit));

    private int[] Leaders() =>
        [.. _topics.Select(cluster.Leaders).Aggregate((sum, led) => [.. sum.Zip(led, (one, other) => one + other)])];

    private int[] Choose(Fault fault, int round)
    {
        var (controller, led) = (cluster.Controller(), Leaders());
        var other = Enumerable.Range(0, cluster.Count).Where(index => index != controller).MaxBy(index => led[index]);
        return fault switch
        {
            Fault.Broker or Fault.StoppedBroker => [other],
            Fault.Controller or Fault.StoppedController => [controller],
            Fault.Both => [controller, other],
            Fault.Each or Fault.Cut => [round % cluster.Count],
            _ => [.. Enumerable.Range(0, cluster.Count)],
        };
    }

    /// <returns>Ends when what passes by itself has lasted as long as it is to last.</returns>
    private Task Hit(Fault fault, int[] victims)
    {
        Array.ForEach(victims, fault == Fault.Cut ? cluster.CutFromPeers : Passes(fault) ? cluster.Stop : cluster.Kill);
        if (fault == Fault.All)
        {
            Parallel.ForEach(victims, cluster.Restart);
        }

        return Passes(fault) && options.StopTime is { } time
            ? Task.Delay(time).ContinueWith(_ => Array.ForEach(victims, End(fault)), TaskScheduler.Default)
            : Task.CompletedTask;
    }

    private void Mend(Fault fault, int[] victims, Task over)
    {
        over.Wait();
        if (Passes(fault))
        {
            Array.ForEach(victims, End(fault));
        }
        else if (fault != Fault.All)
        {
            Array.ForEach(victims, cluster.Restart);
        }
    }

    private Action<int> End(Fault fault) => fault == Fault.Cut ? cluster.Heal : cluster.Continue;

    private static bool Passes(Fault fault) => fault is Fault.StoppedBroker or Fault.StoppedController or Fault.Cut;

    private static string After(TimeSpan[] times, double share) =>
        FormattableString.Invariant($"{new Sample(times.Select(time => time.TotalSeconds)).At(share):F2}");
}
