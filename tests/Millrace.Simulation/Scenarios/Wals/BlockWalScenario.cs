using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>
/// The WAL on a block device that ships: machines that take it from each other by its reservations, while the former writer is alive, asleep or dead, with
/// writes of its on their way.
/// </summary>
internal sealed class BlockWalScenario : IScenario
{
    public string Name => "wal-block";

    public IReadOnlyList<PlantedFault> Faults { get; } = [PlantedFault.ReadEndBeforeAbort, PlantedFault.RegisterAgain, PlantedFault.TrustFlush];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "volume: taken from its holder", "volume: writes aborted", "volume: writes refused", "wal: recovery after an unfinished recovery",
        "wal: ended with Fenced", "wal: clean ends", "wal: trims", "memory: ran out", "nodes: clock set",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new WalWorld(kernel, WalMedium.DrawBlock(kernel, fault), fault).RunAsync();
}
