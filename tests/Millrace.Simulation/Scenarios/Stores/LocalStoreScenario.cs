using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>A stream store with its controller on the directory store and the file WAL that ship, on a disk that loses what is not synced.</summary>
internal sealed class LocalStoreScenario : IScenario
{
    public string Name => "store-local";

    public IReadOnlyList<PlantedFault> Faults => [PlantedFault.ForgetFolderSync, PlantedFault.RefuseWhatIsAccepted];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "store: WALs taken over", "store: records recovered", "store: clean stops", "disk: files that lost writes at a power cut",
        "disk: call failed", "disk: no space left", "disk: names lost at a power cut", "memory: ran out", "nodes: clock set",
        "store: append refused for want of memory", "store: rot refused",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new StoreWorld(kernel, onOneMachine: true, fault).RunAsync();
}
