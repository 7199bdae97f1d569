using Millrace.Network.Access;
using Millrace.Broker.Apis.Topics;
using Millrace.Broker.Groups;
using Millrace.Broker.Membership;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>FindCoordinator (key 10), v0–6.</summary>
/// <remarks>
/// v1: transactional ids. v2: as v1. v3: flexible. v4: several keys. v5: TRANSACTION_ABORTABLE. v6: share groups. The first
/// question for a group creates <c>__consumer_offsets</c>.
/// Deviation: transactions and share groups are not served yet; their keys get errors that clients take as final (see InitProducerId).
/// </remarks>
internal sealed class FindCoordinatorHandler(BrokerIdentity identity, IMetadataFeed feed, ControllerDeeds deeds)
    : IApiHandler<FindCoordinatorRequest, FindCoordinatorResponse>
{
    private const sbyte Group = 0;
    private const sbyte Transaction = 1;
    private const short FirstWithSeveralKeys = 4;

    public static VersionRange Versions => new(0, 6);

    public void ReportErrors(FindCoordinatorResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Coordinators.Select(coordinator => coordinator.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, FindCoordinatorRequest request) =>
        request.KeyType switch
        {
            Group => context.Access.Groups(Operation.Describe, KeysOf(context, request)),
            Transaction => KeysOf(context, request).Select(key => context.Access.TransactionalId(Operation.Describe, key))
                .FirstOrDefault(error => error != ErrorCode.None),
            _ => ErrorCode.None,
        };

    public FindCoordinatorResponse Refuse(RequestContext context, FindCoordinatorRequest request, ErrorCode error) =>
        Respond(context, request, key => Failed(key, error, "Access is denied."));

    public async ValueTask<FindCoordinatorResponse> HandleAsync(RequestContext context, FindCoordinatorRequest request, CancellationToken token)
    {
        if (request.KeyType == Group && !feed.Image.TryGetTopic(GroupCoordinator.TopicName, out _))
        {
            await deeds.CreateMissingAsync(context, [OffsetsTopic.Creation(identity, feed.Image)], token);
        }

        return Respond(context, request, key => Find(context, key, request.KeyType));
    }

    private static IReadOnlyList<string> KeysOf(RequestContext context, FindCoordinatorRequest request) =>
        context.ApiVersion >= FirstWithSeveralKeys ? request.CoordinatorKeys : [request.Key];

    private static FindCoordinatorResponse Respond(
        RequestContext context, FindCoordinatorRequest request, Func<string, FindCoordinatorResponse.Coordinator> answer)
    {
        if (context.ApiVersion >= FirstWithSeveralKeys)
        {
            return new FindCoordinatorResponse { Coordinators = [.. request.CoordinatorKeys.Select(answer)] };
        }

        var found = answer(request.Key);
        return new FindCoordinatorResponse
        {
            ErrorCode = found.ErrorCode,
            ErrorMessage = found.ErrorMessage,
            NodeId = found.NodeId,
            Host = found.Host,
            Port = found.Port,
        };
    }

    private FindCoordinatorResponse.Coordinator Find(RequestContext context, string key, sbyte type) => type switch
    {
        Group => FindGroup(key, context.Connection.Listener),
        // Below v4 it is librdkafka that asks, and takes no other error as final; from v4 on Java's client, which shows the message only
        // of an error that it has no words of its own for.
        Transaction => Failed(
            key,
            context.ApiVersion >= FirstWithSeveralKeys ? ErrorCode.InvalidRequest : ErrorCode.TransactionalIdAuthorizationFailed,
            "Transactions are not served by this broker."),
        _ => Failed(key, ErrorCode.InvalidRequest, $"There are no coordinators of type {type}."),
    };

    private FindCoordinatorResponse.Coordinator FindGroup(string group, ListenerName listener)
    {
        var image = feed.Image;
        if (!image.TryGetTopic(GroupCoordinator.TopicName, out var topic)
            || topic.FindPartition(GroupCoordinator.PartitionOf(group, topic.Partitions.Count))?.Leader is not { } leader
            || image.LiveEndpoint(leader, listener) is not { } endpoint)
        {
            return Failed(group, ErrorCode.CoordinatorNotAvailable, "The coordinator is not available now.");
        }

        return new FindCoordinatorResponse.Coordinator { Key = group, NodeId = leader.Value, Host = endpoint.Host, Port = endpoint.Port };
    }

    private static FindCoordinatorResponse.Coordinator Failed(string key, ErrorCode error, string message) =>
        new() { Key = key, NodeId = -1, Host = "", Port = -1, ErrorCode = (short)error, ErrorMessage = message };
}
