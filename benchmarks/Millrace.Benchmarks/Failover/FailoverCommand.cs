using System.CommandLine;

namespace Millrace.Benchmarks.Failover;

/// <summary>
/// <c>./bench failover</c>: brokers of one cluster are killed or stopped under load; how long until every partition acknowledges again, as an ordinary
/// client sees it.
/// </summary>
internal static class FailoverCommand
{
    public static Command Create()
    {
        var faults = new Option<Fault[]>("--fault")
        {
            Description = "What befalls the cluster; several one after another.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [Fault.Broker, Fault.Controller],
        };
        var brokers = new Option<int>("--brokers") { Description = "How many.", DefaultValueFactory = _ => 3 };
        var partitions = new Option<int>("--partitions") { Description = "Of each topic.", DefaultValueFactory = _ => 1_000 };
        var rounds = new Option<int>("--rounds") { Description = "How often each is measured.", DefaultValueFactory = _ => 3 };
        var load = new Option<double>("--load") { Description = "Records per second to each topic.", DefaultValueFactory = _ => 1_000 };
        var topics = new Option<int>("--topics") { Description = "Each with a producer and a group of its own.", DefaultValueFactory = _ => 1 };
        var timeout = new Option<double?>("--request-timeout") { Description = "Seconds that a client waits for an answer; otherwise its own default, 30." };
        var pause = new Option<double>("--pause") { Description = "Seconds before each round.", DefaultValueFactory = _ => 5 };
        var stop = new Option<double?>("--stop") { Description = "Seconds that a broker stays stopped or cut off; otherwise until all is acknowledged." };
        var minutes = new Option<double?>("--minutes") { Description = "For how long rounds begin, instead of --rounds." };
        var moves = new Option<bool>("--moves")
        {
            Description = "Meanwhile partitions of all topics, and those of groups, go round among all brokers: at the end each has one leader.",
        };
        var changes = new Option<bool>("--change-wals")
        {
            Description = "Meanwhile all topics change again and again between the WAL on the device and one in the store; with --loop or --block.",
        };
        var separate = new Option<bool>("--separate-hosts")
        {
            Description = "Each broker on a host of its own, so that one can be cut off: needs root (as in `unshare -Urnm`), ip and nft.",
        };
        var store = new Option<string?>("--store") { Description = "The bucket, empty; otherwise a directory." };
        var block = new Option<bool>("--block")
        {
            Description = "WALs on block devices that all brokers reach, fenced by this host's lock; files in their place where --devices names none.",
        };
        var devices = new Option<string[]>("--devices") { Description = "One for each broker, empty.", AllowMultipleArgumentsPerToken = true };
        var loop = new Option<int?>("--loop")
        {
            Description = "WALs on loop devices with sectors of so many bytes, made for the run: needs root.",
        };
        loop.AcceptOnlyFromAmong("512", "4096");
        var logs = new Option<string?>("--logs") { Description = "Prints at the end what the brokers logged at this level and above: debug, information." };
        var command = new Command("failover", "Brokers are killed or stopped under load: how long until every partition acknowledges again.")
        {
            faults, moves, changes, brokers, topics, partitions, rounds, minutes, load, timeout, pause, stop, separate, store, block, devices, loop, logs,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(faults)!.Contains(Fault.Cut) && !result.GetValue(separate))
            {
                result.AddError("Brokers on one host cannot be cut off from each other: --separate-hosts.");
            }

            if (result.GetValue(changes) && result.GetValue(loop) is null && !result.GetValue(block))
            {
                result.AddError("With one WAL there is none to change to: --loop or --block.");
            }
        });
        command.SetAction(async (parsed, _) =>
        {
            var options = new FailoverOptions(
                parsed.GetValue(topics),
                parsed.GetValue(partitions),
                parsed.GetValue(rounds),
                parsed.GetValue(minutes) is { } time ? TimeSpan.FromMinutes(time) : null,
                TimeSpan.FromSeconds(parsed.GetValue(pause)),
                Seconds(parsed.GetValue(stop)),
                parsed.GetValue(moves),
                parsed.GetValue(changes),
                new WriterOptions(parsed.GetValue(load), Seconds(parsed.GetValue(timeout))));
            foreach (var fault in parsed.GetValue(faults)!)
            {
                using var folder = new ScratchFolder();
                using var hosts = parsed.GetValue(separate) ? new SeparateHosts(parsed.GetValue(brokers)) : null;
                using var loops = parsed.GetValue(loop) is { } sector ? LoopDevices.In(folder.Path, parsed.GetValue(brokers), sector) : null;
                using var cluster = new ClusterUnderTest(
                    folder.Path,
                    parsed.GetValue(store) ?? $"file://{folder.Path}/store",
                    parsed.GetValue(brokers),
                    hosts,
                    parsed.GetValue(logs) ?? "warning",
                    wals: loops is not null || parsed.GetValue(block)
                        ? WalPlaces.OnDevices(
                            loops?.Paths ?? parsed.GetValue(devices) ?? [], folder.Path, parsed.GetValue(brokers), parsed.GetValue(changes))
                        : null);
                Console.WriteLine($"## {fault}: {cluster.Count} brokers, {options.Topics} topics of {options.Partitions} partitions\n");
                try
                {
                    await new FailoverRun(cluster, options).MeasureAsync(fault);
                }
                finally
                {
                    if (parsed.GetValue(logs) is not null)
                    {
                        cluster.PrintLogs();
                    }
                }
            }
        });
        return command;
    }

    private static TimeSpan? Seconds(double? value) => value is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
}
