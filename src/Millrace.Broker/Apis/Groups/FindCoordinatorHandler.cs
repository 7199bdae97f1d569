using Millrace.Broker.Apis.Topics;
using Millrace.Broker.Groups;
using Millrace.Broker.Requests;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Groups;

/// <summary>FindCoordinator (key 10), v0–6.</summary>
/// <remarks>
/// v1: transactional ids. v2: as v1. v3: flexible. v4: several keys. v5: TRANSACTION_ABORTABLE. v6: share groups. The first
/// question for a group creates <c>__consumer_offsets</c>.
/// Deviation: transactions and share groups are not served yet; their keys get errors that clients take as final (see InitProducerId).
/// </remarks>
internal sealed class FindCoordinatorHandler(
    NodeRuntime runtime, BrokerIdentity identity, IMetadataFeed feed, IControllerChannel controller, DeedLog deeds)
    : IApiHandler<FindCoordinatorRequest, FindCoordinatorResponse>
{
    private const sbyte Group = 0;
    private const sbyte Transaction = 1;
    private const short FirstWithSeveralKeys = 4;

    private readonly AutomaticCreation _creation = new(runtime, controller, deeds);

    public static ApiVersionRange Versions => new(0, 6);

    public void ReportErrors(FindCoordinatorResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        foreach (var coordinator in response.Coordinators)
        {
            errors.Add(coordinator.ErrorCode);
        }
    }

    public async ValueTask<FindCoordinatorResponse> HandleAsync(RequestContext context, FindCoordinatorRequest request, CancellationToken token)
    {
        if (request.KeyType == Group && !feed.Image.TryGetTopic(GroupCoordinator.TopicName, out _))
        {
            await _creation.TryAsync(context, [OffsetsTopic.Creation(identity, feed.Image)], token);
        }

        if (context.ApiVersion >= FirstWithSeveralKeys)
        {
            return new FindCoordinatorResponse { Coordinators = [.. request.CoordinatorKeys.Select(key => Find(key, request.KeyType, context.ApiVersion))] };
        }

        var found = Find(request.Key, request.KeyType, context.ApiVersion);
        return new FindCoordinatorResponse
        {
            ErrorCode = found.ErrorCode,
            ErrorMessage = found.ErrorMessage,
            NodeId = found.NodeId,
            Host = found.Host,
            Port = found.Port,
        };
    }

    private FindCoordinatorResponse.Coordinator Find(string key, sbyte type, short version) => type switch
    {
        Group => FindGroup(key),
        // Below v4 it is librdkafka that asks, and takes no other error as final; from v4 on Java's client, which shows the message only
        // of an error that it has no words of its own for.
        Transaction => Failed(
            key,
            version >= FirstWithSeveralKeys ? ErrorCode.InvalidRequest : ErrorCode.TransactionalIdAuthorizationFailed,
            "Transactions are not served by this broker."),
        _ => Failed(key, ErrorCode.InvalidRequest, $"There are no coordinators of type {type}."),
    };

    private FindCoordinatorResponse.Coordinator FindGroup(string group)
    {
        var image = feed.Image;
        if (!image.TryGetTopic(GroupCoordinator.TopicName, out var topic)
            || topic.FindPartition(GroupCoordinator.PartitionOf(group, topic.Partitions.Count))?.Leader is not { } leader
            || !image.Nodes.TryGetValue(leader, out var node) || !node.IsLive)
        {
            return Failed(group, ErrorCode.CoordinatorNotAvailable, "The coordinator is not available now.");
        }

        return new FindCoordinatorResponse.Coordinator { Key = group, NodeId = node.Id.Value, Host = node.Host, Port = node.Port };
    }

    private static FindCoordinatorResponse.Coordinator Failed(string key, ErrorCode error, string message) =>
        new() { Key = key, NodeId = -1, Host = "", Port = -1, ErrorCode = (short)error, ErrorMessage = message };
}
