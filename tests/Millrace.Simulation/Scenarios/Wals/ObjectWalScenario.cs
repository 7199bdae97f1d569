using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>The object WAL that ships: writers, and takers that fence them while they are alive, asleep or dead.</summary>
internal sealed class ObjectWalScenario : IScenario
{
    public string Name => "wal-object";

    public IReadOnlyList<PlantedFault> Faults { get; } = [PlantedFault.SealBehindLastObject];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "storage: own lost answer read back", "storage: key created again after deletion", "wal: recovery after an unfinished recovery",
        "wal: ended with Fenced", "wal: clean ends", "wal: trims",
        "links: transfers cut short", "memory: ran out", "nodes: clock set", "wal: rot refused",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) =>
        new WalWorld(kernel, WalMedium.DrawObject(kernel.Random, fault), fault).RunAsync();
}
