using Millrace.Cluster.Liveness;
using Millrace.Controller;
using Millrace.Controller.Endpoint;

namespace Millrace.Cluster.Seat;

/// <summary>The controller, while it lives in this process.</summary>
/// <param name="Owner">As the seal of the metadata log names it, with its term.</param>
/// <param name="Controller">Decides.</param>
/// <param name="Endpoint">Takes requests for it.</param>
/// <param name="Judge">Hears which nodes live.</param>
public sealed record LocalController(TermOwner Owner, ClusterController Controller, ControllerEndpoint Endpoint, LivenessJudge Judge)
{
    public Guid Id => Owner.Id;
}
