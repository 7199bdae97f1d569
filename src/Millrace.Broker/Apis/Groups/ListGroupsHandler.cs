using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>ListGroups (key 16), v0–5: the groups that this broker coordinates.</summary>
/// <remarks>v1: throttle time. v3: flexible. v4: states, and only groups in given ones. v5: types, likewise. Case does not matter.</remarks>
internal sealed class ListGroupsHandler(GroupCoordinator groups) : IApiHandler<ListGroupsRequest, ListGroupsResponse>
{
    public static VersionRange Versions => new(0, 5);

    public void ReportErrors(ListGroupsResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, ListGroupsRequest request) => ErrorCode.None;

    public ListGroupsResponse Refuse(RequestContext context, ListGroupsRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<ListGroupsResponse> HandleAsync(RequestContext context, ListGroupsRequest request, CancellationToken token)
    {
        var answer = await groups.ListAsync(token);
        return new ListGroupsResponse
        {
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(answer.Error),
            Groups =
            [
                .. answer.Groups
                    .Where(group => Passes(request.StatesFilter, group.State.ToString()) && Passes(request.TypesFilter, group.Type))
                    .Where(group => context.Access.Allows(Operation.Describe, ResourceKind.Group, group.GroupId))
                    .Select(Show),
            ],
        };
    }

    private static bool Passes(IReadOnlyList<string> filter, string value) =>
        filter.Count == 0 || filter.Contains(value, StringComparer.OrdinalIgnoreCase);

    private static ListGroupsResponse.ListedGroup Show(GroupListing group) => new()
    {
        GroupId = group.GroupId,
        ProtocolType = group.ProtocolType,
        GroupState = group.State.ToString(),
        GroupType = group.Type,
    };
}
