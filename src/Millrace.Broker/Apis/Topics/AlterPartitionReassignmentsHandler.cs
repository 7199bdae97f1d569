using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>AlterPartitionReassignments (key 45), v0–1.</summary>
/// <remarks>
/// v1: a change of the replication factor can be refused. Replicas are virtual: they are changed at once, and what is under way afterwards, and can be
/// cancelled, is that a leader hands over. Deviation: cancelling leaves the new replicas.
/// </remarks>
internal sealed class AlterPartitionReassignmentsHandler(ControllerDeeds deeds)
    : IApiHandler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>
{
    public static VersionRange Versions => new(0, 1);

    public void ReportErrors(AlterPartitionReassignmentsResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Responses.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, AlterPartitionReassignmentsRequest request) => context.Access.Cluster(Operation.Alter);

    public AlterPartitionReassignmentsResponse Refuse(RequestContext context, AlterPartitionReassignmentsRequest request, ErrorCode error) =>
        new() { AllowReplicationFactorChange = request.AllowReplicationFactorChange, ErrorCode = (short)error };

    public async ValueTask<AlterPartitionReassignmentsResponse> HandleAsync(
        RequestContext context, AlterPartitionReassignmentsRequest request, CancellationToken token)
    {
        var response = await deeds.DoAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(
            request, TimeSpan.FromMilliseconds(request.TimeoutMs), error => Refuse(context, request, error), token);
        deeds.TellReassigned(context, request, response);
        return response;
    }
}
