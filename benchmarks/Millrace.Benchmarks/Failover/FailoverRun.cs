using System.Diagnostics;

namespace Millrace.Benchmarks.Failover;

/// <summary>A cluster under load, which something befalls again and again.</summary>
internal sealed class FailoverRun(ClusterUnderTest cluster, int topics, int partitions, WriterOptions writing)
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string[] _topics = [.. Enumerable.Range(0, topics).Select(index => $"failover-{index}")];

    /// <summary>Lets it befall the cluster so many times, and checks at the end that nothing was lost, doubled or reordered.</summary>
    public void Measure(Fault fault, int rounds)
    {
        foreach (var topic in _topics)
        {
            cluster.CreateTopic(topic, partitions);
            cluster.WaitForLeaders(topic, partitions, Limit);
        }

        var applications = Array.ConvertAll(_topics, topic => new Application(cluster.BootstrapServers, topic, partitions, writing));
        try
        {
            Measure(fault, rounds, applications);
        }
        finally
        {
            Array.ForEach(applications, application => application.Dispose());
        }
    }

    private void Measure(Fault fault, int rounds, Application[] applications)
    {
        ProbeAll(applications);
        CatchUp(applications);
        Thread.Sleep(Settling);
        Console.WriteLine($"Undisturbed, all have acknowledged after {After(ProbeAll(applications), 1)} s.\n");
        Console.WriteLine("| round | partitions that lost their leader | half of all acknowledged again after, s | 99 % | all | group has read all, s |");
        Console.WriteLine("|---|---|---|---|---|---|");
        for (var round = 1; round <= rounds; round++)
        {
            Thread.Sleep(Settling);
            var victims = Choose(fault);
            var led = Leaders();
            Hit(fault, victims);
            if (fault == Fault.All)
            {
                Parallel.ForEach(victims, cluster.Restart);
            }

            var began = Stopwatch.StartNew();
            var probes = Array.ConvertAll(applications, application => application.ProbeAll());
            var after = Wait(probes);
            CatchUp(applications);
            var lost = victims.Sum(victim => led[victim]);
            Console.WriteLine(FormattableString.Invariant(
                $"| {round} | {lost} | {After(after, 0.5)} | {After(after, 0.99)} | {After(after, 1)} | {began.Elapsed.TotalSeconds:F2} |"));
            Mend(fault, victims);
        }

        var records = applications.Sum(application => application.Check());
        Console.WriteLine($"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is.\n");
    }

    private static TimeSpan[] ProbeAll(Application[] applications) => Wait(Array.ConvertAll(applications, application => application.ProbeAll()));

    private static TimeSpan[] Wait(Probe[] probes) => [.. probes.SelectMany(probe => probe.Wait(Limit)).Order()];

    private static void CatchUp(Application[] applications) => Array.ForEach(applications, application => application.CatchUp(Limit));

    private int[] Leaders() =>
        [.. _topics.Select(cluster.Leaders).Aggregate((sum, led) => [.. sum.Zip(led, (one, other) => one + other)])];

    private int[] Choose(Fault fault)
    {
        var (controller, led) = (cluster.Controller(), Leaders());
        var other = Enumerable.Range(0, cluster.Count).Where(index => index != controller).MaxBy(index => led[index]);
        return fault switch
        {
            Fault.Broker or Fault.StoppedBroker => [other],
            Fault.Controller or Fault.StoppedController => [controller],
            Fault.Both => [controller, other],
            _ => [.. Enumerable.Range(0, cluster.Count)],
        };
    }

    private void Hit(Fault fault, int[] victims)
    {
        foreach (var victim in victims)
        {
            if (IsStop(fault))
            {
                cluster.Stop(victim);
            }
            else
            {
                cluster.Kill(victim);
            }
        }
    }

    private void Mend(Fault fault, int[] victims)
    {
        foreach (var victim in victims.Where(_ => fault != Fault.All))
        {
            if (IsStop(fault))
            {
                cluster.Continue(victim);
            }
            else
            {
                cluster.Restart(victim);
            }
        }
    }

    private static bool IsStop(Fault fault) => fault is Fault.StoppedBroker or Fault.StoppedController;

    private static string After(TimeSpan[] ascending, double share) =>
        FormattableString.Invariant($"{ascending[(int)Math.Ceiling(ascending.Length * share) - 1].TotalSeconds:F2}");
}
