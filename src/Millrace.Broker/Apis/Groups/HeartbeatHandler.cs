using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>Heartbeat (key 12), v0–4.</summary>
/// <remarks>v1: throttle time. v3: static membership (KIP-345). v4: flexible.</remarks>
internal sealed class HeartbeatHandler(GroupCoordinator groups) : IApiHandler<HeartbeatRequest, HeartbeatResponse>
{
    public static VersionRange Versions => new(0, 4);

    public void ReportErrors(HeartbeatResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, HeartbeatRequest request) => context.Access.Group(Operation.Read, request.GroupId);

    public HeartbeatResponse Refuse(RequestContext context, HeartbeatRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<HeartbeatResponse> HandleAsync(RequestContext context, HeartbeatRequest request, CancellationToken token)
    {
        var member = new MemberIdentity(request.MemberId, request.GroupInstanceId);
        var error = await groups.HeartbeatAsync(new HeartbeatCommand(request.GroupId, member, request.GenerationId), token);
        return new HeartbeatResponse { ErrorCode = (short)KafkaErrorMap.ToErrorCode(error) };
    }
}
