using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>DeleteGroups (key 42), v0–2: removes empty groups with their offsets.</summary>
/// <remarks>v1: throttling as KIP-219. v2: flexible.</remarks>
internal sealed class DeleteGroupsHandler(GroupCoordinator groups) : IApiHandler<DeleteGroupsRequest, DeleteGroupsResponse>
{
    public static VersionRange Versions => new(0, 2);

    public void ReportErrors(DeleteGroupsResponse response, ErrorTally errors) =>
        errors.Add(response.Results.Select(result => result.ErrorCode));

    public ErrorCode Authorize(RequestContext context, DeleteGroupsRequest request) => context.Access.Groups(Operation.Delete, request.GroupsNames);

    public DeleteGroupsResponse Refuse(RequestContext context, DeleteGroupsRequest request, ErrorCode error) =>
        new() { Results = [.. request.GroupsNames.Select(group => Result(group, error))] };

    public async ValueTask<DeleteGroupsResponse> HandleAsync(RequestContext context, DeleteGroupsRequest request, CancellationToken token)
    {
        var results = await Task.WhenAll(request.GroupsNames.Distinct(StringComparer.Ordinal).Select(group => DeleteAsync(group, token)));
        return new DeleteGroupsResponse { Results = results };
    }

    private async Task<DeleteGroupsResponse.DeletableGroupResult> DeleteAsync(string group, CancellationToken token) =>
        Result(group, KafkaErrorMap.ToErrorCode(await groups.DeleteAsync(group, token)));

    private static DeleteGroupsResponse.DeletableGroupResult Result(string group, ErrorCode error) => new() { GroupId = group, ErrorCode = (short)error };
}
