using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.ObjectLogs;

/// <summary>The object log as the metadata uses it: several writers, takers and zombies on one chain, trimming included.</summary>
internal sealed class ChainScenario : IScenario
{
    public string Name => "log-chain";

    public IReadOnlyList<PlantedFault> Faults => PlantedLogRules.Faults;

    public IReadOnlyList<string> RareThings { get; } =
    [
        "storage: own lost answer read back", "storage: key created again after deletion", "log: entry landed beyond a seal",
        "log: race for a seal lost", "log: reader overtaken by trimming", "log: owner fenced", "log: owner closed in mid-flight",
        "nodes: clock set", "links: transfers cut short", "log: rot refused",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new ChainWorld(kernel, fault).RunAsync();
}
