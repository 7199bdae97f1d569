using Millrace.Simulation.Scenarios.ObjectLogs;

namespace Millrace.Simulation.Scenarios;

/// <summary>All scenarios.</summary>
public static class ScenarioList
{
    public static IReadOnlyList<IScenario> All { get; } = [new ChainScenario()];
}
