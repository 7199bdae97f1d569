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
    private const string Topic = "cuts";
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var minio = new Option<FileInfo>("--minio") { Description = "The program of a MinIO server, which gets a host of its own.", Required = true };
        minio.AcceptExistingOnly();
        var seconds = new Option<double>("--seconds") { Description = "How long each cut lasts.", DefaultValueFactory = _ => 10 };
        var from = new Option<string[]>("--from")
        {
            Description = "From whom: peers, store, clients, controller.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ["peers", "store", "clients", "controller"],
        };
        var logs = new Option<bool>("--logs") { Description = "Prints what the brokers logged at the end." };
        var command = new Command("cuts", "Brokers on hosts of their own are cut off under load; needs root, ip, nft and MinIO.")
        {
            minio, seconds, from, logs,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(minio)!.FullName, TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(from)!, parsed.GetValue(logs)));
        return command;
    }

    private static void Run(string minio, TimeSpan duration, string[] targets, bool logs)
    {
        using var folder = new ScratchFolder();
        using var hosts = new SeparateHosts(Brokers + 1);
        using var store = new MinioOnHost(minio, Path.Combine(folder.Path, "minio"), hosts, Brokers);
        foreach (var (name, value) in MinioOnHost.Credentials)
        {
            // The brokers inherit them.
            Environment.SetEnvironmentVariable(name, value);
        }

        using var cluster = new ClusterUnderTest(folder.Path, store.Store, Brokers, hosts);
        cluster.CreateTopic(Topic, 30);
        using var writer = new SteadyWriter(cluster.BootstrapServers, Topic, 30, new WriterOptions(RecordsPerSecond: 500));
        using var group = new GroupReader(cluster.BootstrapServers, Topic, 30);
        writer.ProbeAll().Wait(Limit);
        Console.WriteLine("| cut off | way | how | acknowledged by all, s after the cut began | healed, s after its end | group has read all, s |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var target in targets)
        {
            foreach (var (outgoing, refuse) in new[] { (true, false), (false, false), (true, true), (false, true) })
            {
                Thread.Sleep(Settling);
                var controller = cluster.Controller();
                var victim = (controller + 1) % Brokers;
                hosts.Cut(victim, Others(target, victim, controller), outgoing, refuse);
                var cut = writer.ProbeAll();
                Thread.Sleep(duration);
                hosts.Heal(victim);
                var (healed, began) = (writer.ProbeAll(), Stopwatch.StartNew());
                var (after, heals) = (healed.Wait(Limit)[^1], cut.Wait(Limit)[^1]);
                group.WaitFor(writer.Count, Limit);
                var how = $"broker{victim} from {target} | {(outgoing ? "out" : "in")} | {(refuse ? "refused" : "dropped")}";
                Console.WriteLine(FormattableString.Invariant(
                    $"| {how} | {heals.TotalSeconds:F1} | {after.TotalSeconds:F1} | {began.Elapsed.TotalSeconds:F1} |"));
            }
        }

        writer.Finish();
        LogCheck.Check(cluster.BootstrapServers, Topic, 30, writer);
        Console.WriteLine(FormattableString.Invariant($"\n{writer.Count} records: each acknowledged one is in the log once, in order, and nothing else is.\n"));
        if (logs)
        {
            cluster.PrintLogs();
        }
    }

    private static IEnumerable<string> Others(string target, int victim, int controller) => target switch
    {
        "peers" => Enumerable.Range(0, Brokers).Where(host => host != victim).Select(SeparateHosts.AddressOf),
        "store" => [SeparateHosts.AddressOf(Brokers)],
        "clients" => [SeparateHosts.Client],
        "controller" => [SeparateHosts.AddressOf(controller)],
        _ => throw new ArgumentException($"Nobody is called '{target}': peers, store, clients, controller"),
    };
}
