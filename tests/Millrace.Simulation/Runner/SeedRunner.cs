using System.Text;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios;

namespace Millrace.Simulation.Runner;

/// <summary>Runs one seed of one scenario, and sees to it that the seed was worth its name.</summary>
public static class SeedRunner
{
    public static readonly TimeSpan MinimumTime = TimeSpan.FromSeconds(60);
    public const int MinimumAcknowledged = 200;
    public const int MinimumFaults = 5;

    public static SeedResult Run(IScenario scenario, ulong seed, PlantedFault? fault = null, Action<string>? listener = null)
    {
        // Scenarios draw different worlds from the same number.
        using var kernel = new SimulationKernel(Mix(scenario.Name, seed)) { Trace = { Listener = listener } };
        try
        {
            kernel.Run(() => scenario.RunAsync(kernel, fault));
            return new SeedResult(scenario.Name, seed, kernel, TooEasy(kernel));
        }
        catch (SimulationException failure)
        {
            return new SeedResult(scenario.Name, seed, kernel, failure);
        }
    }

    private static SimulationException? TooEasy(SimulationKernel kernel)
    {
        var acknowledged = kernel.Coverage[CoverageNames.Acknowledged];
        var faults = kernel.Coverage[CoverageNames.Faults];
        return kernel.Now >= MinimumTime && acknowledged >= MinimumAcknowledged && faults >= MinimumFaults
            ? null
            : new SimulationException($"The seed was too easy: {acknowledged} operations and {faults} faults in {kernel.Now}", kernel);
    }

    private static ulong Mix(string name, ulong seed)
    {
        foreach (var value in Encoding.ASCII.GetBytes(name))
        {
            seed = (seed ^ value) * 0x100000001B3;
        }

        return seed;
    }
}
