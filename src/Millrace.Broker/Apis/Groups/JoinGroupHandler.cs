using System.Net;
using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>JoinGroup (key 11), v0–9.</summary>
/// <remarks>
/// v1: rebalance timeout beside the session's. v2: throttle time. v4: a new member is given its id first (KIP-394). v5: static
/// membership (KIP-345). v6: flexible. v7: protocol type; the name may be null. v8: reason. v9: the leader may be told to
/// skip the assignment (KIP-814).
/// </remarks>
internal sealed class JoinGroupHandler(GroupCoordinator groups) : IApiHandler<JoinGroupRequest, JoinGroupResponse>
{
    private const short FirstThatKnowsMemberIdRequired = 4;
    private const short FirstWithNullableProtocol = 7;
    private const short FirstThatKnowsSkipAssignment = 9;

    public static VersionRange Versions => new(0, 9);

    public void ReportErrors(JoinGroupResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, JoinGroupRequest request) => context.Access.Group(Operation.Read, request.GroupId);

    public JoinGroupResponse Refuse(RequestContext context, JoinGroupRequest request, ErrorCode error) =>
        new()
        {
            ErrorCode = (short)error,
            ProtocolName = context.ApiVersion < FirstWithNullableProtocol ? "" : null,
            MemberId = request.MemberId,
        };

    public async ValueTask<JoinGroupResponse> HandleAsync(RequestContext context, JoinGroupRequest request, CancellationToken token)
    {
        var answer = await groups.JoinAsync(ToCommand(context, request), token);
        return new JoinGroupResponse
        {
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(answer.Error),
            GenerationId = answer.Generation,
            ProtocolType = answer.ProtocolType,
            ProtocolName = answer.ProtocolName ?? (context.ApiVersion < FirstWithNullableProtocol ? "" : null),
            Leader = answer.Leader,
            SkipAssignment = answer.SkipAssignment,
            MemberId = answer.MemberId,
            Members = [.. answer.Members.Select(member => new JoinGroupResponse.JoinGroupResponseMember
            {
                MemberId = member.MemberId,
                GroupInstanceId = member.InstanceId,
                Metadata = member.Metadata,
            })],
        };
    }

    private static JoinGroupCommand ToCommand(RequestContext context, JoinGroupRequest request)
    {
        var session = TimeSpan.FromMilliseconds(request.SessionTimeoutMs);
        return new JoinGroupCommand
        {
            GroupId = request.GroupId,
            Member = new MemberIdentity(request.MemberId, request.GroupInstanceId),
            ClientId = context.ClientId ?? "",
            // With a slash in front, as Kafka's tools know it.
            ClientHost = $"/{(context.Connection.Remote as IPEndPoint)?.Address}",
            SessionTimeout = session,
            RebalanceTimeout = request.RebalanceTimeoutMs < 0 ? session : TimeSpan.FromMilliseconds(request.RebalanceTimeoutMs),
            ProtocolType = request.ProtocolType,
            // The group keeps the metadata for longer than the frame lives.
            Protocols = [.. request.Protocols.Select(protocol => new GroupProtocol(protocol.Name, protocol.Metadata.ToArray()))],
            KnowsMemberIdRequired = context.ApiVersion >= FirstThatKnowsMemberIdRequired,
            KnowsSkipAssignment = context.ApiVersion >= FirstThatKnowsSkipAssignment,
        };
    }
}
