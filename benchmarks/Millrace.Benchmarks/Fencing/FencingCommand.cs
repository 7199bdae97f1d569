using System.CommandLine;
using Millrace.Benchmarks.Failover;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Benchmarks.Fencing;

/// <summary><c>./bench fencing</c>: a device that hosts share is taken from the one that writes it by another, with real persistent reservations.</summary>
internal static class FencingCommand
{
    private static readonly string[] BrokerSettings =
    [
        ClusterUnderTest.Unbalanced,

        // An emulated machine has too little time for two brokers and a client to be as prompt as usual.
        "millrace.fence.ms=9000",

        // So that what is acknowledged is in the WAL alone.
        "millrace.upload.interval.ms=600000", "millrace.upload.interval.max.ms=600000", "millrace.upload.bytes=134217728",
    ];

    public static Command Create()
    {
        var devices = new Argument<string[]>("DEVICE")
        {
            Description =
                "The device as one host sees it, and as another does, and with --brokers as a third: everything on it is overwritten. None: a virtual machine "
                + "is made that has one.",
            Arity = new ArgumentArity(0, 9),
        };
        var brokers = new Option<bool>("--brokers")
        {
            Description =
                "Whole brokers, and not the WAL alone: the one with the device is frozen under load, another takes its partitions over, and the first wakes. "
                + "Ends with an error if an acknowledged record is lost, doubled, out of order or altered, or if the first still writes.",
        };
        var rounds = new Option<int>("--rounds") { Description = "How often it is taken over.", DefaultValueFactory = _ => 10 };
        var fill = new Option<long>("--fill") { Description = "MiB that are acknowledged before.", DefaultValueFactory = _ => 16 };
        var settling = new Option<double>("--settling") { Description = "Seconds that late writes are waited for.", DefaultValueFactory = _ => 2 };
        var noAbort = new Option<bool>("--no-abort") { Description = "The take-over does not abort what is on its way: for devices that cannot." };
        var landing = new Option<int>("--landing")
        {
            Description = "Seconds that a take-over waits, with --no-abort, for what is on its way to land.", DefaultValueFactory = _ => 2,
        };
        var logs = new Option<bool>("--logs") { Description = "Prints at the end what the brokers logged, which is printed after an error in any case." };
        var machine = new Option<string[]>("--machine")
        {
            Description = "How the virtual machine's device is made, as pr-vm.sh takes it: -t nvme, -t scsi, --delay 800, -b 4096.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ["-t", "nvme"],
        };
        var command = new Command("fencing", "A device that hosts share is taken over while one writes it, by persistent reservations. Needs root.")
        {
            devices, brokers, rounds, fill, settling, noAbort, landing, logs, machine,
        };
        command.SetAction(async (parsed, token) =>
        {
            var (times, mebibytes, seconds, aborts) =
                (parsed.GetValue(rounds), parsed.GetValue(fill), parsed.GetValue(settling), !parsed.GetValue(noAbort));
            var (whole, wait, tells) = (parsed.GetValue(brokers), parsed.GetValue(landing), parsed.GetValue(logs));
            if (parsed.GetValue(devices) is not { Length: >= 2 } paths)
            {
                FormattableString arguments = $"--rounds {times} --fill {mebibytes} --settling {seconds} --landing {wait}";
                string[] flags = [.. whole ? ["--brokers"] : (string[])[], .. aborts ? (string[])[] : ["--no-abort"], .. tells ? ["--logs"] : (string[])[]];
                return await FencingMachine.RunAsync(
                    parsed.GetValue(machine)!, whole, [.. FormattableString.Invariant(arguments).Split(' '), .. flags], token);
            }

            if (whole)
            {
                var query = aborts ? "" : $"?abort=false&settle={wait}";
                string[] uris = [.. paths[..2].Select(path => $"block://{path}{query}")];
                await RunBrokersAsync(uris, paths[^1], mebibytes << 20, TimeSpan.FromSeconds(seconds), times, tells);
                return 0;
            }

            var sides = Array.ConvertAll(paths[..2], path => new BlockDeviceOptions(path)
            {
                Fence = DeviceFenceKind.Reservation, Aborts = aborts, Settling = TimeSpan.FromSeconds(wait),
            });
            await new FencingRounds(sides[0], sides[1], mebibytes << 20, TimeSpan.FromSeconds(seconds)).RunAsync(times);
            return 0;
        });
        return command;
    }

    private static async Task RunBrokersAsync(string[] uris, string device, long fillBytes, TimeSpan settling, int rounds, bool tells)
    {
        using var folder = new ScratchFolder();
        using var cluster = new ClusterUnderTest(
            folder.Path, $"file://{folder.Path}/store", brokers: uris.Length, logLevel: "information", settings: BrokerSettings,
            wals: WalPlaces.OnOneDevice(uris));
        try
        {
            await new BrokerRounds(cluster, device, fillBytes, settling).RunAsync(rounds);
        }
        catch
        {
            tells = true;
            throw;
        }
        finally
        {
            if (tells)
            {
                cluster.PrintLogs();
            }
        }
    }
}
