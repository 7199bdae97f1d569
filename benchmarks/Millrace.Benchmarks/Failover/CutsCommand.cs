using System.CommandLine;
using System.Diagnostics;

namespace Millrace.Benchmarks.Failover;

/// <summary>
/// <c>./bench cuts</c>: brokers on hosts of their own are cut off one at a time, one way at a time, from their peers, the store, clients or the controller,
/// under load; how long nothing is acknowledged, and how soon all is well after the cut.
/// </summary>
internal static class CutsCommand
{
    private const int Brokers = 3;
    private const int Partitions = 30;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var minio = new Option<FileInfo>("--minio") { Description = "The program of a MinIO server, which gets a host of its own.", Required = true };
        minio.AcceptExistingOnly();
        var seconds = new Option<double>("--seconds") { Description = "How long each cut lasts.", DefaultValueFactory = _ => 10 };
        var from = new Option<string[]>("--from")
        {
            Description = "From whom.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => Cut.Targets,
        };
        from.AcceptOnlyFromAmong(Cut.Targets);
        var logs = new Option<string?>("--logs") { Description = "Prints at the end what the brokers logged at this level and above: debug, information." };
        var command = new Command("cuts", "Brokers on hosts of their own are cut off under load; needs root, ip, nft and MinIO.")
        {
            minio, seconds, from, logs,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(minio)!.FullName, TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(from)!, parsed.GetValue(logs)));
        return command;
    }

    private static void Run(string minio, TimeSpan duration, string[] targets, string? logs)
    {
        using var folder = new ScratchFolder();
        using var hosts = new SeparateHosts(Brokers + 1);
        using var store = new MinioOnHost(minio, Path.Combine(folder.Path, "minio"), hosts, Brokers);
        foreach (var (name, value) in MinioOnHost.Credentials)
        {
            // The brokers inherit them.
            Environment.SetEnvironmentVariable(name, value);
        }

        using var cluster = new ClusterUnderTest(folder.Path, store.Store, Brokers, hosts, logs ?? "warning");
        try
        {
            Measure(cluster, hosts, duration, targets);
        }
        finally
        {
            if (logs is not null)
            {
                cluster.PrintLogs();
            }
        }
    }

    private static void Measure(ClusterUnderTest cluster, SeparateHosts hosts, TimeSpan duration, string[] targets)
    {
        Console.WriteLine("| broker | cut off from | what it | is | longest wait, s | acknowledged, s | read, s | all back, s | fences | controller |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        var records = 0L;
        foreach (var (number, cut) in Cut.All(targets).Index())
        {
            // Whoever was fenced leads its part of a new one.
            var topic = $"cuts-{number}";
            cluster.CreateTopic(topic, Partitions);
            using var application = new Application(cluster.BootstrapServers, topic, Partitions, new WriterOptions(RecordsPerSecond: 500));
            application.ProbeAll().Wait(Limit);
            application.CatchUp(Limit);
            Thread.Sleep(Settling);
            if (cluster.Leaders(topic).Contains(0))
            {
                throw new InvalidOperationException($"A broker leads nothing of {topic}: cutting it off would measure nothing");
            }

            var (controller, fences) = (cluster.Controller(), FenceCounts.Read(cluster));
            var victim = cut.OfController ? controller : (controller + 1) % Brokers;
            hosts.Cut(victim, Others(cut.From, victim, controller), cut.Outgoing, cut.Refused);
            var began = Stopwatch.StartNew();
            var waiting = Task.Run(() => LongestWait(application, () => began.Elapsed < duration));
            Thread.Sleep(duration);
            hosts.Heal(victim);
            var ended = Stopwatch.StartNew();
            var after = application.ProbeAll().Wait(Limit)[^1];
            var longest = waiting.Result;
            application.CatchUp(Limit);
            var read = ended.Elapsed;
            cluster.WaitForAll(Limit);
            var back = ended.Elapsed;
            records += application.Check(Limit);
            var change = cluster.Controller() == controller ? "stays" : "changes";
            var seconds = FormattableString.Invariant(
                $"{longest.TotalSeconds:F1} | {after.TotalSeconds:F1} | {read.TotalSeconds:F1} | {back.TotalSeconds:F1}");
            Console.WriteLine($"| {cut} | {seconds} | {FenceCounts.Read(cluster).Since(fences)} | {change} |");
        }

        Console.WriteLine(FormattableString.Invariant($"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is.\n"));
    }

    /// <summary>The longest that records which were sent to all partitions at once have waited until all were acknowledged.</summary>
    private static TimeSpan LongestWait(Application application, Func<bool> goesOn)
    {
        var longest = TimeSpan.Zero;
        while (goesOn())
        {
            var wait = application.ProbeAll().Wait(Limit)[^1];
            longest = wait > longest ? wait : longest;
            Thread.Sleep(Pace);
        }

        return longest;
    }

    private static IEnumerable<string> Others(string target, int victim, int controller) => target switch
    {
        "peers" => Enumerable.Range(0, Brokers).Where(host => host != victim).Select(SeparateHosts.AddressOf),
        "store" => [SeparateHosts.AddressOf(Brokers)],
        "clients" => [SeparateHosts.Client],
        _ => [SeparateHosts.AddressOf(controller)],
    };
}
