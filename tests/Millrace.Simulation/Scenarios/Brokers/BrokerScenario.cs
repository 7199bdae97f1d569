using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>Produce, fetch and group commit through a whole broker that is killed and restarted.</summary>
internal sealed class BrokerScenario : IScenario
{
    public string Name => "broker";

    public IReadOnlyList<PlantedFault> Faults => [];

    public IReadOnlyList<string> RareThings { get; } = ["broker: starts", "nodes: killed", "clients: no answer", "disk: files that lost writes at a power cut"];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new BrokerWorld(kernel).RunAsync();
}
