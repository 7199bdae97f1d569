using System.Globalization;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Scaling;

/// <summary>A cluster of one broker, and others that its scaler calls for.</summary>
internal sealed class ScaleRun(ClusterUnderTest cluster, CalledBrokers called, int partitions, double target, int recordBytes, TimeSpan each)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    // A record is taken once and given once: what stands here is of a broker's target. A second application makes it two brokers, a third one three.
    private static readonly double[] Shares = [0.6, 0.9, 0.9];

    /// <summary>As its defaults, but in seconds in place of minutes.</summary>
    /// <param name="target">What a broker is to take and give, in bytes per second.</param>
    public static IEnumerable<string> Settings(long target) => new (string Name, string Value)[]
    {
        ("mode", "on"), ("max.brokers", "4"), ("target.cpu.ratio", "1"), ("target.bytes.per.second", target.ToString(CultureInfo.InvariantCulture)),
        ("out.after.ms", "4000"), ("out.cooldown.ms", "6000"), ("in.after.ms", "10000"), ("in.cooldown.ms", "15000"),
    }.Select(static setting => $"millrace.scaler.{setting.Name}={setting.Value}");

    public async Task MeasureAsync(int rounds)
    {
        // Of this one nobody but this process has the handle.
        cluster.Command($"config set millrace.scaler.excluded.brokers={cluster.NodeOf(0)}");
        List<Application> applications = [];
        try
        {
            Console.WriteLine("| load, of a broker's | brokers at the end | changes | the last after, s | gap, largest, ms |\n|---|---|---|---|---|");
            Start(applications);
            await StepAsync(applications, 1);
            for (var round = 0; round < rounds; round++)
            {
                Start(applications);
                await StepAsync(applications, 2);
                Start(applications);
                await StepAsync(applications, 3);
                applications[^1].EndWriting();
                await StepAsync(applications, 2);
                applications[^2].EndWriting();
                await StepAsync(applications, 1);
            }

            var records = applications.Sum(application => application.Check(Limit));
            Console.WriteLine(
                $"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is. No producer and no group saw an error, and "
                + $"groups read each record. {applications.Sum(application => application.Rebalances)} rebalances.");
        }
        finally
        {
            applications.ForEach(static application => application.Dispose());
        }
    }

    private void Start(List<Application> applications)
    {
        var (topic, share) = ($"application-{applications.Count}", Shares[Math.Min(Writing(applications), Shares.Length - 1)]);
        cluster.CreateTopic(topic, partitions);
        applications.Add(new Application(
            cluster.BootstrapServers, topic, partitions, new WriterOptions(share * target / 2 / recordBytes, RecordBytes: recordBytes)));
        applications[^1].ProbeAll().Wait(Limit);
    }

    private static int Writing(List<Application> applications) => applications.Count(static application => application.IsWriting);

    private async Task StepAsync(List<Application> applications, int expected)
    {
        var load = Shares.Take(Writing(applications)).Sum();
        applications.ForEach(static application => application.LongestGaps());
        var (began, told, last, brokers, changes) = (DateTime.UtcNow, called.Told.Count, TimeSpan.Zero, cluster.Members(), 0);
        while (DateTime.UtcNow - began < each)
        {
            await Task.Delay(Pace);
            if (cluster.Members() is var now && now != brokers)
            {
                (brokers, last, changes) = (now, DateTime.UtcNow - began, changes + 1);
            }
        }

        var gap = applications.Where(static application => application.IsWriting).SelectMany(static application => application.LongestGaps()).Max();
        Console.WriteLine(FormattableString.Invariant(
            $"| {load:F1} | {brokers} | {changes} | {last.TotalSeconds:F1} | {gap.TotalMilliseconds:F0} |"));
        if (brokers != expected || changes > 1)
        {
            var runs = called.Told.Skip(told).Select(run => $"{run.Current} → {run.Desired} at {(run.At - began).TotalSeconds:F0} s");
            throw new InvalidOperationException(
                $"{changes} changes to {brokers} brokers, where {expected} are right; the command was told {string.Join(", ", runs)}");
        }
    }
}
