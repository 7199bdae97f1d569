using System.Diagnostics;

namespace Millrace.Benchmarks.Failover;

/// <summary>A cluster under load, which something befalls again and again.</summary>
internal sealed class FailoverRun(ClusterUnderTest cluster, FailoverOptions options)
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly string[] _topics = [.. Enumerable.Range(0, options.Topics).Select(index => $"failover-{index}")];

    /// <summary>Lets it befall the cluster so many times, and checks at the end that nothing was lost, doubled or reordered.</summary>
    public void Measure(Fault fault)
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
            Measure(fault, applications);
        }
        finally
        {
            Array.ForEach(applications, application => application.Dispose());
        }
    }

    private void Measure(Fault fault, Application[] applications)
    {
        ProbeAll(applications);
        CatchUp(applications);
        Thread.Sleep(Settling);
        Console.WriteLine($"Undisturbed, all have acknowledged after {After(ProbeAll(applications), 1)} s.\n");
        Console.WriteLine("| round | lost their leader | half of all acknowledged again after, s | 99 % | all | group has read all, s | fences |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        for (var round = 1; round <= options.Rounds; round++)
        {
            Thread.Sleep(options.Pause);
            var victims = Choose(fault, round);
            var (led, fences) = (Leaders(), FenceCounts.Read(cluster));
            var over = Hit(fault, victims);
            var began = Stopwatch.StartNew();
            var after = Wait(Array.ConvertAll(applications, application => application.ProbeAll()));
            CatchUp(applications);
            var (read, lost) = (began.Elapsed, victims.Sum(victim => led[victim]));
            Mend(fault, victims, over);

            // Whoever counted is gone where brokers are killed.
            var given = IsStop(fault) ? FenceCounts.Read(cluster).Since(fences) : "";
            Console.WriteLine(FormattableString.Invariant(
                $"| {round} | {lost} | {After(after, 0.5)} | {After(after, 0.99)} | {After(after, 1)} | {read.TotalSeconds:F2} | {given} |"));
        }

        var records = applications.Sum(application => application.Check());
        Console.WriteLine($"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is. No producer saw an error;");
        Console.WriteLine($"groups saw {applications.Sum(application => application.GroupErrors)}, and read each record.\n");
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
            Fault.Each => [round % cluster.Count],
            _ => [.. Enumerable.Range(0, cluster.Count)],
        };
    }

    /// <returns>Ends when a stop has lasted as long as it is to last.</returns>
    private Task Hit(Fault fault, int[] victims)
    {
        Array.ForEach(victims, IsStop(fault) ? cluster.Stop : cluster.Kill);
        if (fault == Fault.All)
        {
            Parallel.ForEach(victims, cluster.Restart);
        }

        return IsStop(fault) && options.StopTime is { } time
            ? Task.Delay(time).ContinueWith(_ => Array.ForEach(victims, cluster.Continue), TaskScheduler.Default)
            : Task.CompletedTask;
    }

    private void Mend(Fault fault, int[] victims, Task over)
    {
        over.Wait();
        if (IsStop(fault))
        {
            Array.ForEach(victims, cluster.Continue);
        }
        else if (fault != Fault.All)
        {
            Array.ForEach(victims, cluster.Restart);
        }
    }

    private static bool IsStop(Fault fault) => fault is Fault.StoppedBroker or Fault.StoppedController;

    private static string After(TimeSpan[] ascending, double share) =>
        FormattableString.Invariant($"{ascending[(int)Math.Ceiling(ascending.Length * share) - 1].TotalSeconds:F2}");
}
