using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>SyncGroup (key 14), v0–5.</summary>
/// <remarks>v1: throttle time. v3: static membership (KIP-345). v4: flexible. v5: protocol type and name, which the client must give (KIP-559).</remarks>
internal sealed class SyncGroupHandler(GroupCoordinator groups) : IApiHandler<SyncGroupRequest, SyncGroupResponse>
{
    private const short FirstWithProtocol = 5;

    public static VersionRange Versions => new(0, 5);

    public void ReportErrors(SyncGroupResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, SyncGroupRequest request) => context.Access.Group(Operation.Read, request.GroupId);

    public SyncGroupResponse Refuse(RequestContext context, SyncGroupRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<SyncGroupResponse> HandleAsync(RequestContext context, SyncGroupRequest request, CancellationToken token)
    {
        if (context.ApiVersion >= FirstWithProtocol && (request.ProtocolType is null || request.ProtocolName is null))
        {
            return new SyncGroupResponse { ErrorCode = (short)ErrorCode.InconsistentGroupProtocol };
        }

        var command = new SyncGroupCommand
        {
            GroupId = request.GroupId,
            Member = new MemberIdentity(request.MemberId, request.GroupInstanceId),
            Generation = request.GenerationId,
            ProtocolType = request.ProtocolType,
            ProtocolName = request.ProtocolName,
            // The group keeps the assignments for longer than the frame lives.
            Assignments = [.. request.Assignments.Select(assignment =>
                KeyValuePair.Create(assignment.MemberId, (ReadOnlyMemory<byte>)assignment.Assignment.ToArray()))],
        };
        var answer = await groups.SyncAsync(command, token);
        return new SyncGroupResponse
        {
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(answer.Error),
            ProtocolType = answer.ProtocolType,
            ProtocolName = answer.ProtocolName,
            Assignment = answer.Assignment,
        };
    }
}
