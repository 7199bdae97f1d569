using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Members;

/// <summary>
/// Processes that join one bucket, follow its controller or are it, die, sleep and are cut off from each other and from the store: what one was told is
/// done all come to know, and soon after the trouble there is a controller again.
/// </summary>
internal sealed class MemberScenario : IScenario
{
    public string Name => "members";

    public IReadOnlyList<PlantedFault> Faults => [];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "members: joined", "members: fenced", "members: led", "members: controllers lost", "members: asked without an answer", "nodes: killed", "nodes: paused",
        "network: swallowed", "network: connections cut", "storage: outage",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new MemberWorld(kernel).RunAsync();
}
