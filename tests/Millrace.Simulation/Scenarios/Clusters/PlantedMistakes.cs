using Millrace.Cluster.Liveness;
using Millrace.Cluster.Membership;
using Millrace.Controller.Objects;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Scenarios.Stores;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>What one machine's broker is made of, each part with the mistake that the world has in it, if it has one.</summary>
/// <param name="world">The world.</param>
/// <param name="machine">The machine.</param>
/// <param name="member">The process' place in its cluster; null while it has none.</param>
internal sealed class PlantedMistakes(ClusterWorld world, ClusterMachine machine, Func<ClusterMember?> member)
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);
    private readonly HashSet<StreamId> _recovered = [];
    private PlantedRemainder? _remainder;

    public LeaseRules LeaseRules { get; } = new PlantedLeaseRules(world.Fault);

    public CompactionRules CompactionRules { get; } = new PlantedCompactionRules(world.Fault);

    public HandOverRules HandOverRules { get; } = new PlantedHandOverRules(world.Fault);

    /// <summary>The store of a process that begins.</summary>
    public IObjectStorage Storage(IObjectStorage storage)
    {
        _remainder = world.Fault == PlantedFault.AcknowledgeByObject ? new PlantedRemainder(KillSoon) : null;
        return _remainder?.Watch(storage) ?? storage;
    }

    public IWalProvider Own(IWalProvider wals) => _remainder?.Hurry(wals) ?? wals;

    public IWalTakeover Takeover(NodeRuntime life, IObjectStorage storage, IWalTakeover wals) => world.Fault switch
    {
        PlantedFault.ReadWalBeforeSeal => new PlantedTakeover(life, storage, wals),
        PlantedFault.TakeShareForWal or PlantedFault.CompleteUnread or PlantedFault.CountLateCompletion or PlantedFault.ForgetPlanWithController =>
            new PlantedShares(world.Fault.Value, member, world.Oracle.FencedIn, _recovered, wals),
        _ => wals,
    };

    public IControllerLink Link(IControllerLink link) => world.Fault switch
    {
        PlantedFault.ForgetWhereRangesWent => new PlantedMemory(link),
        PlantedFault.TakeLostControllerForFence => new PlantedLink(link),
        PlantedFault.LeadBeforeTail => new PlantedHandOver(link, () => machine.Image),
        PlantedFault.BelieveLateHandOver => new PlantedLateHandOver(link, () => machine.Image),
        _ => link,
    };

    /// <summary>What was answered early is written a moment later as a rule, and nobody would ever know.</summary>
    private void KillSoon()
    {
        var (kernel, lane) = (world.Kernel, machine.Node.Lane);
        kernel.At(kernel.Now + kernel.Random.Between(TimeSpan.Zero, Soon), kernel.World, () =>
        {
            if (machine.Node.Lane == lane)
            {
                machine.Kill();
            }
        });
    }
}
