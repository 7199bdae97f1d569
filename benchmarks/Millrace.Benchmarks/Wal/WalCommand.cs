using System.CommandLine;

namespace Millrace.Benchmarks.Wal;

/// <summary><c>./bench wal</c>: WALs in files and on block devices, beside raw writes to their like.</summary>
internal static class WalCommand
{
    public static Command Create(Argument<string> folder)
    {
        var delay = new Option<double>("--flush-delay")
        {
            Description = "Milliseconds that flushes take longer, in a second pass.",
            DefaultValueFactory = _ => 0.5,
        };
        var seconds = new Option<double>("--seconds") { Description = "Of each measurement.", DefaultValueFactory = _ => 0.5 };
        var rounds = new Option<int>("--rounds") { Description = "How often each is made; the table has the middle one.", DefaultValueFactory = _ => 3 };
        var kinds = new Option<WalPlaceKind[]>("--on")
        {
            Description = "What the WALs lie on. Loop devices need root.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => LoopDevice.ArePermitted ? Enum.GetValues<WalPlaceKind>() : [WalPlaceKind.BufferedFile, WalPlaceKind.DirectFile],
        };
        var command = new Command("wal", "Append to WALs in files and on loop devices, beside raw writes by threads and by io_uring, in turns.")
        {
            folder, kinds, delay, seconds, rounds,
        };
        command.SetAction(async (parsed, _) =>
        {
            var benchmark = new WalBenchmark(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(rounds));
            await benchmark.RunAsync(parsed.GetValue(folder)!, parsed.GetValue(kinds)!, TimeSpan.FromMilliseconds(parsed.GetValue(delay)));
            return 0;
        });
        return command;
    }
}
