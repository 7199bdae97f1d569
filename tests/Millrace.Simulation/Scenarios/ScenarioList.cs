using Millrace.Simulation.Scenarios.Brokers;
using Millrace.Simulation.Scenarios.Clusters;
using Millrace.Simulation.Scenarios.Controllers;
using Millrace.Simulation.Scenarios.Members;
using Millrace.Simulation.Scenarios.ObjectLogs;
using Millrace.Simulation.Scenarios.Stores;
using Millrace.Simulation.Scenarios.Wals;

namespace Millrace.Simulation.Scenarios;

/// <summary>All scenarios.</summary>
public static class ScenarioList
{
    public static IReadOnlyList<IScenario> All { get; } =
    [
        new ChainScenario(), new ControllerScenario(), new FileWalScenario(), new ObjectWalScenario(), new BlockWalScenario(), new BucketStoreScenario(),
        new LocalStoreScenario(), new BrokerScenario(), new MemberScenario(), new ClusterScenario(), new HandOverScenario(),
    ];
}
