using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>The file WAL that ships, on a disk that loses, tears and reorders what is not synced: crash, recovery, recovery killed and repeated.</summary>
internal sealed class FileWalScenario : IScenario
{
    public string Name => "wal-file";

    public IReadOnlyList<PlantedFault> Faults { get; } = [PlantedFault.AcknowledgeBeforeDurable, PlantedFault.ServeBeforeSeal, PlantedFault.ForgetFolderSync];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "disk: files that lost writes at a power cut", "disk: sync failed", "disk: write failed", "wal: recovery after an unfinished recovery",
        "wal: killed in the middle of a recovery", "wal: ended with WalFailed", "wal: clean ends", "wal: trims",
        "disk: call failed", "disk: no space left", "disk: names lost at a power cut", "memory: ran out", "nodes: clock set", "wal: rot refused",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) =>
        new WalWorld(kernel, WalMedium.DrawFile(kernel.Random), fault).RunAsync();
}
