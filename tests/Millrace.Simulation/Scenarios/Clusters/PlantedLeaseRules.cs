using Millrace.Cluster.Liveness;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The rules of leases with at most one mistake.</summary>
internal sealed class PlantedLeaseRules(PlantedFault? fault) : LeaseRules
{
    public override TimeSpan Grant(TimeSpan lease, TimeSpan proofAge, bool isCalm) =>
        base.Grant(lease, proofAge, isCalm || fault == PlantedFault.GrantWithoutProof);
}
