using Millrace.Metadata;

namespace Millrace.Network.Requests;

/// <summary>
/// What a broker answers those who follow its partitions, on its way to the listener for other nodes, which knows no broker; opaque to who passes it on.
/// </summary>
public sealed class FollowerService
{
    private readonly Func<RequestContext, FollowPartitionRequest, CancellationToken, ValueTask<FollowPartitionResponse>> _answer;

    internal FollowerService(Func<RequestContext, FollowPartitionRequest, CancellationToken, ValueTask<FollowPartitionResponse>> answer) => _answer = answer;

    internal ValueTask<FollowPartitionResponse> AnswerAsync(RequestContext context, FollowPartitionRequest request, CancellationToken token) =>
        _answer(context, request, token);
}
