using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>LeaveGroup (key 13), v0–5.</summary>
/// <remarks>v1: throttle time. v3: several members, each with an error of its own (KIP-345). v4: flexible. v5: reason.</remarks>
internal sealed class LeaveGroupHandler(GroupCoordinator groups) : IApiHandler<LeaveGroupRequest, LeaveGroupResponse>
{
    private const short FirstWithSeveralMembers = 3;

    public static VersionRange Versions => new(0, 5);

    public void ReportErrors(LeaveGroupResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Members.Select(member => member.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, LeaveGroupRequest request) => context.Access.Group(Operation.Read, request.GroupId);

    public LeaveGroupResponse Refuse(RequestContext context, LeaveGroupRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<LeaveGroupResponse> HandleAsync(RequestContext context, LeaveGroupRequest request, CancellationToken token)
    {
        if (context.ApiVersion < FirstWithSeveralMembers)
        {
            var single = await groups.LeaveAsync(new LeaveGroupCommand(request.GroupId, [new MemberIdentity(request.MemberId, null)]), token);
            var error = single.Error == GroupError.None ? single.Members[0].Error : single.Error;
            return new LeaveGroupResponse { ErrorCode = (short)KafkaErrorMap.ToErrorCode(error) };
        }

        var members = request.Members.Select(member => new MemberIdentity(member.MemberId, member.GroupInstanceId)).ToList();
        var answer = await groups.LeaveAsync(new LeaveGroupCommand(request.GroupId, members), token);
        return new LeaveGroupResponse
        {
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(answer.Error),
            Members = [.. answer.Members.Select(left => new LeaveGroupResponse.MemberResponse
            {
                MemberId = left.Member.MemberId,
                GroupInstanceId = left.Member.InstanceId,
                ErrorCode = (short)KafkaErrorMap.ToErrorCode(left.Error),
            })],
        };
    }
}
