using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>DescribeGroups (key 15), v0–6.</summary>
/// <remarks>
/// v1: throttle time. v3: authorized operations. v4: static membership (KIP-345). v5: flexible. v6: a group that does not exist
/// is an error with a message; to older clients it is a dead group.
/// </remarks>
internal sealed class DescribeGroupsHandler(GroupCoordinator groups) : IApiHandler<DescribeGroupsRequest, DescribeGroupsResponse>
{
    private const short FirstThatKnowsGroupNotFound = 6;

    public static VersionRange Versions => new(0, 6);

    public void ReportErrors(DescribeGroupsResponse response, ErrorTally errors) =>
        errors.Add(response.Groups.Select(group => group.ErrorCode));

    public ErrorCode Authorize(RequestContext context, DescribeGroupsRequest request) => context.Access.Groups(Operation.Describe, request.Groups);

    public DescribeGroupsResponse Refuse(RequestContext context, DescribeGroupsRequest request, ErrorCode error) =>
        new() { Groups = [.. request.Groups.Select(group => new DescribeGroupsResponse.DescribedGroup { GroupId = group, ErrorCode = (short)error })] };

    public async ValueTask<DescribeGroupsResponse> HandleAsync(RequestContext context, DescribeGroupsRequest request, CancellationToken token)
    {
        var descriptions = await Task.WhenAll(request.Groups.Select(group => groups.DescribeAsync(group, token)));
        return new DescribeGroupsResponse
        {
            Groups =
            [
                .. descriptions.Select(group => Show(
                    group,
                    request.IncludeAuthorizedOperations ? AuthorizedOperations.OnGroup(context.Access, group.GroupId) : AuthorizedOperations.Unknown,
                    context.ApiVersion)),
            ],
        };
    }

    private static DescribeGroupsResponse.DescribedGroup Show(GroupDescription group, int operations, short version)
    {
        var isMissing = group.Error == GroupError.GroupNotFound;
        var isDead = isMissing && version < FirstThatKnowsGroupNotFound;
        return new DescribeGroupsResponse.DescribedGroup
        {
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(isDead ? GroupError.None : group.Error),
            ErrorMessage = isMissing && !isDead ? $"Group {group.GroupId} not found." : null,
            GroupId = group.GroupId,
            // Of a group that could not be asked for nothing is known.
            GroupState = group.Error is GroupError.None or GroupError.GroupNotFound ? group.State.ToString() : "",
            ProtocolType = group.ProtocolType,
            ProtocolData = group.ProtocolName,
            AuthorizedOperations = operations,
            Members = [.. group.Members.Select(member => new DescribeGroupsResponse.DescribedGroupMember
            {
                MemberId = member.MemberId,
                GroupInstanceId = member.InstanceId,
                ClientId = member.ClientId,
                ClientHost = member.ClientHost,
                MemberMetadata = member.Metadata,
                MemberAssignment = member.Assignment,
            })],
        };
    }
}
