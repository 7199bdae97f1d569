using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Brokers whose partitions move without a pause, while what the controller answers is late or lost and its nodes die: nobody acknowledges or tells what is
/// another's by then. In <see cref="ClusterScenario"/> all this comes together too seldom to show a mistake.
/// </summary>
internal sealed class HandOverScenario : IScenario
{
    public string Name => "handovers";

    public IReadOnlyList<PlantedFault> Faults { get; } = [PlantedFault.TakeBackWhatMayHaveMoved, PlantedFault.ReadWhatMayHaveMoved];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "nodes: killed", "network: answers late", "network: controller unheard", "network: connections cut", "nodes: cut off from the store",
        "clients: no answer", "clients: sent elsewhere", "controllers: changes",
        "moves: done", "moves: done, of groups", "moves: given back", "moves: by the balancer", "moves: ended by a fence", "moves: cancelled",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new ClusterWorld(kernel, ClusterPlot.HandOvers, fault).RunAsync();
}
