using Millrace.Cluster.Liveness;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The rules of leases with at most one mistake.</summary>
internal sealed class PlantedLeaseRules(PlantedFault? fault) : LeaseRules
{
    public override TimeSpan Grant(TimeSpan lease, TimeSpan proofAge, bool isCalm) =>
        base.Grant(lease, proofAge, isCalm || fault == PlantedFault.GrantWithoutProof);

    public override long Until(long sentAt, long answeredAt, long granted) =>
        base.Until(fault == PlantedFault.CountLeaseFromReceipt ? answeredAt : sentAt, answeredAt, granted);

    public override long AfterLook(long beganAt, long lease) => base.AfterLook(beganAt, lease) + (fault == PlantedFault.TakeLookForLease ? lease : 0);

    public override TimeSpan BeforeFence(TimeSpan fenceTime) => fault == PlantedFault.FenceBeforeLeaseEnds ? TimeSpan.Zero : base.BeforeFence(fenceTime);
}
