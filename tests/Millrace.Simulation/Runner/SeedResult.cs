using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Runner;

/// <summary>How one seed of one scenario went.</summary>
/// <param name="Scenario">Its name.</param>
/// <param name="Seed">Its number.</param>
/// <param name="Kernel">The world as it was at the end.</param>
/// <param name="Failure">What went wrong, or null.</param>
public sealed record SeedResult(string Scenario, ulong Seed, SimulationKernel Kernel, Exception? Failure)
{
    public bool Passed => Failure is null;
}
