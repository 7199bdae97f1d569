using Millrace.Metadata;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;

namespace Millrace.Cluster.Serving;

/// <summary>FollowPartition: goes to the broker of the incarnation that lives in this process.</summary>
/// <param name="followers">Answers, while there is one.</param>
internal sealed class FollowPartitionRelay(Func<FollowerService?> followers) : IApiHandler<FollowPartitionRequest, FollowPartitionResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(FollowPartitionResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, FollowPartitionRequest request) => ErrorCode.None;

    public FollowPartitionResponse Refuse(RequestContext context, FollowPartitionRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public ValueTask<FollowPartitionResponse> HandleAsync(RequestContext context, FollowPartitionRequest request, CancellationToken token) =>
        followers() is { } service
            ? service.AnswerAsync(context, request, token)
            : ValueTask.FromResult(Refuse(context, request, ErrorCode.NotLeaderOrFollower));
}
