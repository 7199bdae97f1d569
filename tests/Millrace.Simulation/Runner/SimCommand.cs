using System.CommandLine;
using System.Diagnostics;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios;

namespace Millrace.Simulation.Runner;

/// <summary><c>./test sim</c>: runs seeds, reports coverage and speed, and says how to repeat what failed.</summary>
internal static class SimCommand
{
    private static readonly Option<int> Seeds = new("--seeds") { Description = "How many seeds of each scenario to run", DefaultValueFactory = _ => 100 };
    private static readonly Option<ulong> First = new("--seed") { Description = "The first seed", DefaultValueFactory = _ => 1 };
    private static readonly Option<string[]> Only = new("--scenario") { Description = "Only this scenario; may be repeated" };
    private static readonly Option<PlantedFault?> Fault = new("--fault") { Description = "Plants a mistake: the run succeeds if some seed finds it" };
    private static readonly Option<int> Jobs = new("--jobs")
    {
        Description = "How many seeds run at once",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };
    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Prints the trace as it comes; for a single seed" };

    public static RootCommand Create()
    {
        RootCommand command = new("Runs the product's parts, and whole nodes, in simulated worlds.") { Seeds, First, Only, Fault, Jobs, Verbose };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult arguments)
    {
        var only = arguments.GetValue(Only) ?? [];
        var fault = arguments.GetValue(Fault);
        IScenario[] scenarios = [.. ScenarioList.All
            .Where(scenario => only.Length == 0 || only.Contains(scenario.Name))
            .Where(scenario => fault is null || scenario.Faults.Contains(fault.Value))];
        if (scenarios.Length == 0)
        {
            Console.Error.WriteLine(
                "No such scenario, or none that shows this fault. " +
                $"There are: {string.Join(", ", ScenarioList.All.Select(scenario => scenario.Name))}");
            return 2;
        }

        var succeeded = true;
        foreach (var scenario in scenarios)
        {
            succeeded &= Run(scenario, arguments, fault);
        }

        return succeeded ? 0 : 1;
    }

    private static bool Run(IScenario scenario, ParseResult arguments, PlantedFault? fault)
    {
        var seeds = arguments.GetValue(Seeds);
        var first = arguments.GetValue(First);
        var coverage = new Coverage();
        SeedResult? failed = null;
        var (run, next, virtualTime, steps) = (0, -1, TimeSpan.Zero, 0L);
        var gate = new Lock();
        var watch = Stopwatch.StartNew();
        // One thread a world; the worlds know nothing of each other.
        Thread[] threads = [.. Enumerable.Range(0, Math.Min(seeds, arguments.GetValue(Jobs))).Select(_ => new Thread(Work))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        var speed = run / watch.Elapsed.TotalSeconds;

        Console.WriteLine(
            $"{scenario.Name}: {run} seeds in {watch.Elapsed.TotalSeconds:F1} s " +
            $"({speed:F1} seeds/s, {virtualTime / watch.Elapsed:F0} times real time, {steps / Math.Max(run, 1)} steps a seed)");
        foreach (var (what, times) in coverage.Counts)
        {
            Console.WriteLine($"  {times,10} {what}");
        }

        return fault is null ? Report(scenario, failed) : ReportPlanted(scenario, fault.Value, failed, run);

        void Work()
        {
            for (var i = Interlocked.Increment(ref next); i < seeds && Volatile.Read(ref failed) is null; i = Interlocked.Increment(ref next))
            {
                var result = SeedRunner.Run(scenario, first + (ulong)i, fault, arguments.GetValue(Verbose) ? Console.WriteLine : null);
                lock (gate)
                {
                    run++;
                    virtualTime += result.Kernel.Now;
                    steps += result.Kernel.Steps;
                    coverage.Add(result.Kernel.Coverage);
                    if (!result.Passed)
                    {
                        failed ??= result;
                    }
                }
            }
        }
    }

    private static bool Report(IScenario scenario, SeedResult? failed)
    {
        if (failed is null)
        {
            return true;
        }

        foreach (var line in failed.Kernel.Trace.Lines.TakeLast(60))
        {
            Console.WriteLine($"  | {line}");
        }

        Console.WriteLine($"FAILED {scenario.Name} seed {failed.Seed}: {failed.Failure}");
        Console.WriteLine($"Repeat it with: ./test sim --scenario {scenario.Name} --seed {failed.Seed} --seeds 1 --verbose");
        return false;
    }

    private static bool ReportPlanted(IScenario scenario, PlantedFault fault, SeedResult? failed, int run)
    {
        Console.WriteLine(failed is null
            ? $"NOT FOUND: {fault} in {scenario.Name} by {run} seeds"
            : $"{fault} found in {scenario.Name} by seed {failed.Seed}: {failed.Failure!.Message}");
        return failed is not null;
    }
}
