using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios;

/// <summary>A workload with faults and the oracles that judge it.</summary>
public interface IScenario
{
    string Name { get; }

    /// <summary>The planted faults that this scenario can show.</summary>
    IReadOnlyList<PlantedFault> Faults { get; }

    /// <summary>The rare things that a few dozen seeds must have seen.</summary>
    IReadOnlyList<string> RareThings { get; }

    /// <summary>One seed's run: on the world's lane, from the beginning of the world to the last check.</summary>
    Task RunAsync(SimulationKernel kernel, PlantedFault? fault);
}
