using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Whole brokers on one bucket, killed, stopped, paused, cut off from each other and from the store, while partitions move and clients find leaders and
/// coordinators as real ones do: nothing acknowledged is lost, doubled or reordered, all agree who leads what, and soon after the trouble every partition takes
/// writes again.
/// </summary>
internal sealed class ClusterScenario : IScenario
{
    public string Name => "cluster";

    public IReadOnlyList<PlantedFault> Faults { get; } = 
    [
        PlantedFault.ReadWalBeforeSeal, PlantedFault.TakeLostControllerForFence, PlantedFault.TakeShareForWal, PlantedFault.CompleteUnread,
        PlantedFault.CountLateCompletion, PlantedFault.ForgetPlanWithController, PlantedFault.GrantWithoutProof,
        PlantedFault.CountLeaseFromReceipt, PlantedFault.TakeLookForLease, PlantedFault.FenceBeforeLeaseEnds,
        PlantedFault.LeadBeforeTail, PlantedFault.AcknowledgeByObject, PlantedFault.BelieveLateHandOver, PlantedFault.CommitCompactionUnjudged,
        PlantedFault.ForgetWhereRangesWent,
    ];

    public IReadOnlyList<string> RareThings { get; } =
    [
        "broker: starts", "broker: incarnations replaced in process", "broker: clean stops", "nodes: killed", "nodes: controllers killed", "nodes: all killed",
        "nodes: killed one after another", "nodes: paused", "nodes: lives with a WAL on the disk", "nodes: lives with a WAL on the device", "nodes: clock set",
        "nodes: cut off from the store", "nodes: writes to the store swallowed",
        "network: swallowed", "network: isolated", "network: split", "network: answers late", "network: stranded", "network: writer cut off",
        "network: connections cut", "network: gaps between requests", "storage: outage",
        "clients: no answer", "clients: sent elsewhere", "controllers: changes", "leaders: changed", "fences: after trouble",
        "recoveries: planned to several", "recoveries: planned again", "recoveries: the controller changed meanwhile",
        "topics: created", "topics: deleted",
        "wals: asked for another", "wals: groups of partitions that changed theirs", "nodes: lives with several WALs",
        "moves: done", "moves: done, of groups", "moves: ended by a fence", "moves: cancelled",
        "drains: begun", "drains: ended",
        "racks: sent to a broker of their own", "racks: read from a broker of their own",
        "compactions: begun", "compactions: committed", "compactions: void, or asked again", "compactions: ranges that gave way",
        "idempotent: a batch without an answer had arrived", "group: generations with two members", "group: partitions that changed hands",
    ];

    public Task RunAsync(SimulationKernel kernel, PlantedFault? fault) => new ClusterWorld(kernel, ClusterPlot.Everything, fault).RunAsync();
}
