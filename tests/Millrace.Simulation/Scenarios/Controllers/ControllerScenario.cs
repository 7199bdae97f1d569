using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Controllers;

/// <summary>Controllers that take the metadata log from one another, over a bucket that fails: what one acknowledged all later ones know.</summary>
internal sealed class ControllerScenario : IScenario
{
    public string Name => "controllers";

    public IReadOnlyList<PlantedFault> Faults => [];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "controllers: deposed", "controllers: snapshot read at a start", "controllers: object deleted", "controllers: commit cut or void",
        "controllers: request refused", "storage: own lost answer read back", "nodes: killed", "nodes: clock set", "controllers: rot refused",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new ControllerWorld(kernel).RunAsync();
}
