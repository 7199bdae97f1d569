using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.ObjectLogs;

/// <summary>The object log as the metadata uses it: several writers, takers and zombies on one chain, trimming included.</summary>
internal sealed class ChainScenario : IScenario
{
    public string Name => "log-chain";

    public IReadOnlyList<PlantedFault> Faults => PlantedLogRules.Faults;

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new ChainWorld(kernel, fault).RunAsync();
}
