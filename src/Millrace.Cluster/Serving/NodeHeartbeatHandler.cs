using Millrace.Cluster.Seat;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Cluster.Serving;

/// <summary>NodeHeartbeat: goes to the sessions of the nodes at once, and never through the controller's loop.</summary>
internal sealed class NodeHeartbeatHandler(LocalSeat seat) : IApiHandler<NodeHeartbeatRequest, NodeHeartbeatResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(NodeHeartbeatResponse response, ErrorTally errors) =>
        errors.Add((short)((HeartbeatOutcome)response.Outcome == HeartbeatOutcome.NotController ? ErrorCode.NotController : ErrorCode.None));

    public ErrorCode Authorize(RequestContext context, NodeHeartbeatRequest request) => ErrorCode.None;

    public NodeHeartbeatResponse Refuse(RequestContext context, NodeHeartbeatRequest request, ErrorCode error) =>
        new() { Outcome = (sbyte)HeartbeatOutcome.NotController };

    public ValueTask<NodeHeartbeatResponse> HandleAsync(RequestContext context, NodeHeartbeatRequest request, CancellationToken token)
    {
        var answer = seat.Local is { Controller.HasEnded: false } local && local.Id == request.ControllerId
            ? local.Judge.Hear(request, context.Connection)
            : Refuse(context, request, ErrorCode.NotController);
        return ValueTask.FromResult(answer);
    }
}
