namespace Millrace.Benchmarks.Failover;

/// <summary>A cluster under load, which something befalls again and again.</summary>
internal sealed class FailoverRun(ClusterUnderTest cluster, int partitions, double recordsPerSecond)
{
    private const string Topic = "failover";
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Lets it befall the cluster so many times, and checks at the end that nothing was lost, doubled or reordered.</summary>
    public void Measure(Fault fault, int rounds)
    {
        cluster.CreateTopic(Topic, partitions);
        using var writer = new SteadyWriter(cluster.BootstrapServers, Topic, partitions, recordsPerSecond);
        using var group = new GroupReader(cluster.BootstrapServers, Topic, partitions);
        writer.ProbeAll().Wait(Limit);
        group.WaitFor(partitions, Limit);
        Console.WriteLine("| round | partitions that lost their leader | half of all acknowledged again after, s | 99 % | all | group has read all, s |");
        Console.WriteLine("|---|---|---|---|---|---|");
        for (var round = 1; round <= rounds; round++)
        {
            Thread.Sleep(Settling);
            var victims = Choose(fault);
            var led = cluster.Leaders(Topic);
            Hit(fault, victims);
            var probe = writer.ProbeAll();
            if (fault == Fault.All)
            {
                Parallel.ForEach(victims, cluster.Restart);
            }

            var began = System.Diagnostics.Stopwatch.StartNew();
            var after = probe.Wait(Limit);
            group.WaitFor(writer.Count, Limit);
            Console.WriteLine(FormattableString.Invariant(
                $"| {round} | {victims.Sum(victim => led[victim])} | {After(after, 0.5)} | {After(after, 0.99)} | {After(after, 1)} | {began.Elapsed.TotalSeconds:F2} |"));
            Mend(fault, victims);
        }

        writer.Finish();
        LogCheck.Check(cluster.BootstrapServers, Topic, partitions, writer);
        Console.WriteLine(FormattableString.Invariant($"\n{writer.Count} records: each acknowledged one is in the log once, in order, and nothing else is.\n"));
    }

    private int[] Choose(Fault fault)
    {
        var (controller, led) = (cluster.Controller(), cluster.Leaders(Topic));
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
