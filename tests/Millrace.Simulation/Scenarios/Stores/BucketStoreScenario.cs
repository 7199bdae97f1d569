using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>Stream stores with their controllers on one bucket: each takes over the object WALs of the others, alive, asleep or dead.</summary>
internal sealed class BucketStoreScenario : IScenario
{
    public string Name => "store-bucket";

    public IReadOnlyList<PlantedFault> Faults => [PlantedFault.RefuseWhatIsAccepted, PlantedFault.TakeLostControllerForFence];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "store: WALs taken over", "store: records recovered", "store: deposed", "store: clean stops", "storage: own lost answer read back",
        "links: transfers cut short", "memory: ran out", "nodes: clock set", "store: append refused for want of memory", "store: rot refused",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new StoreWorld(kernel, onOneMachine: false, fault).RunAsync();
}
