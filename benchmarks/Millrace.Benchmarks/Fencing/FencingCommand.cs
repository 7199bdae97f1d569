using System.CommandLine;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Benchmarks.Fencing;

/// <summary><c>./bench fencing</c>: a device that two hosts see is taken from the one that writes it by the other, with real persistent reservations.</summary>
internal static class FencingCommand
{
    public static Command Create()
    {
        var devices = new Argument<string[]>("DEVICE")
        {
            Description = "The device as one host sees it, and as another does: everything on it is overwritten. None: a virtual machine is made that has one.",
            Arity = new ArgumentArity(0, 9),
        };
        var rounds = new Option<int>("--rounds") { Description = "How often it is taken over.", DefaultValueFactory = _ => 10 };
        var fill = new Option<long>("--fill") { Description = "MiB that are acknowledged before.", DefaultValueFactory = _ => 16 };
        var settling = new Option<double>("--settling") { Description = "Seconds that late writes are waited for.", DefaultValueFactory = _ => 2 };
        var noAbort = new Option<bool>("--no-abort") { Description = "The take-over does not abort what is on its way: for devices that cannot." };
        var landing = new Option<double>("--landing")
        {
            Description = "Seconds that a take-over waits, with --no-abort, for what is on its way to land.", DefaultValueFactory = _ => 2,
        };
        var machine = new Option<string[]>("--machine")
        {
            Description = "How the virtual machine's device is made, as pr-vm.sh takes it: -t nvme, -t scsi, --delay 800, -b 4096.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ["-t", "nvme"],
        };
        var command = new Command("fencing", "A device that two hosts see is taken over while one writes it, by persistent reservations. Needs root.")
        {
            devices, rounds, fill, settling, noAbort, landing, machine,
        };
        command.SetAction(async (parsed, token) =>
        {
            var (times, mebibytes, seconds, aborts) =
                (parsed.GetValue(rounds), parsed.GetValue(fill), parsed.GetValue(settling), !parsed.GetValue(noAbort));
            if (parsed.GetValue(devices) is { Length: >= 2 } paths)
            {
                var sides = Array.ConvertAll(paths[..2], path => new BlockDeviceOptions(path)
                {
                    Fence = DeviceFenceKind.Reservation, Aborts = aborts, Settling = TimeSpan.FromSeconds(parsed.GetValue(landing)),
                });
                await new FencingRounds(sides[0], sides[1], mebibytes << 20, TimeSpan.FromSeconds(seconds)).RunAsync(times);
                return 0;
            }

            FormattableString arguments = $"--rounds {times} --fill {mebibytes} --settling {seconds} --landing {parsed.GetValue(landing)}";
            return await FencingMachine.RunAsync(
                parsed.GetValue(machine)!, [.. FormattableString.Invariant(arguments).Split(' '), .. aborts ? (string[])[] : ["--no-abort"]], token);
        });
        return command;
    }
}
