using Millrace.Network.Access;
using Millrace.Broker.Apis.Topics;
using Millrace.Broker.Groups;
using Millrace.Broker.Membership;
using Millrace.Network.Requests;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>Metadata (key 3), v0–13.</summary>
/// <remarks>
/// v0: an empty list means all topics. v1: null means all, empty none; racks, controller. v2: cluster id. v4: auto-creation is
/// the client's choice. v5: offline replicas. v6: LISTENER_NOT_FOUND. v7: leader epochs. v8–10: authorized operations of the cluster.
/// v10: topic ids. v12: topics by id. v13: an error for the whole answer. The response that triggered a creation says
/// UNKNOWN_TOPIC_OR_PARTITION, which clients retry, as in Kafka. Brokers are named by their addresses on the client's listener.
/// </remarks>
internal sealed class MetadataHandler(BrokerIdentity identity, IMetadataFeed feed, DepartedNodes departed, ControllerDeeds deeds)
    : IApiHandler<MetadataRequest, MetadataResponse>
{
    private const short FirstWithListenerNotFound = 6;
    private const short FirstWithTopicIds = 12;

    public static VersionRange Versions => new(0, 13);

    public void ReportErrors(MetadataResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Topics.Select(topic => topic.ErrorCode));
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, MetadataRequest request) =>
        context.Access.Topics(
            Operation.Describe,
            // The id counts, whatever the name.
            (request.Topics ?? [])
                .Select(topic => new TopicReference(topic.Name, topic.TopicId, IsById: topic.TopicId != Guid.Empty).NameIn(feed.Image))
                .OfType<string>());

    public MetadataResponse Refuse(RequestContext context, MetadataRequest request, ErrorCode error) =>
        new() { Topics = [.. (request.Topics ?? []).Select(topic => Failed(context, topic, error))] };

    public async ValueTask<MetadataResponse> HandleAsync(RequestContext context, MetadataRequest request, CancellationToken token)
    {
        var image = feed.Image;
        var wantsOperations = request.IncludeTopicAuthorizedOperations;
        IReadOnlyList<MetadataResponse.MetadataResponseTopic> topics;
        if (request.Topics is null || (context.ApiVersion == 0 && request.Topics.Count == 0))
        {
            topics =
            [
                .. image.Topics.Values
                    .Where(topic => context.Access.Allows(Operation.Describe, ResourceKind.Topic, topic.Name))
                    .Select(topic => Describe(context, image, topic, wantsOperations)),
            ];
        }
        else
        {
            await CreateMissingAsync(context, request, image, token);
            topics = [.. request.Topics.DistinctBy(wanted => (wanted.Name, wanted.TopicId)).Select(wanted => Find(context, image, wanted, wantsOperations))];
        }

        return new MetadataResponse
        {
            Brokers = [.. Brokers(departed.Told(image), context.Connection.Listener)],
            ClusterId = image.ClusterId,
            ControllerId = SeenController.Of(image, identity.Node).Value,
            Topics = topics,
            ClusterAuthorizedOperations =
                request.IncludeClusterAuthorizedOperations ? AuthorizedOperations.OnCluster(context.Access) : AuthorizedOperations.Unknown,
        };
    }

    private static IEnumerable<MetadataResponse.MetadataResponseBroker> Brokers(IEnumerable<NodeImage> nodes, ListenerName listener)
    {
        foreach (var node in nodes)
        {
            // Those that cannot be reached by the client's listener are left out, as by Kafka.
            if (node.EndpointOf(listener) is { } endpoint)
            {
                yield return new() { NodeId = node.Id.Value, Host = endpoint.Host, Port = endpoint.Port, Rack = node.Rack };
            }
        }
    }

    private static MetadataResponse.MetadataResponseTopic Find(
        RequestContext context, MetadataImage image, MetadataRequest.MetadataRequestTopic wanted, bool wantsOperations)
    {
        if (wanted.TopicId != Guid.Empty)
        {
            // The id counts, whatever the name, as in Kafka.
            return context.ApiVersion < FirstWithTopicIds
                ? Failed(context, wanted, ErrorCode.InvalidRequest)
                : image.TryGetTopic(wanted.TopicId, out var byId)
                    ? Describe(context, image, byId, wantsOperations)
                    : new MetadataResponse.MetadataResponseTopic { ErrorCode = (short)ErrorCode.UnknownTopicId, Name = null, TopicId = wanted.TopicId };
        }

        if (wanted.Name is null)
        {
            return Failed(context, wanted, ErrorCode.InvalidRequest);
        }

        return image.TryGetTopic(wanted.Name, out var topic)
            ? Describe(context, image, topic, wantsOperations)
            : Failed(context, wanted, TopicName.Check(wanted.Name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException);
    }

    private static MetadataResponse.MetadataResponseTopic Failed(
        RequestContext context, MetadataRequest.MetadataRequestTopic wanted, ErrorCode error) => new()
    {
        ErrorCode = (short)error,
        // Versions below 12 cannot say null, though requests can.
        Name = wanted.Name ?? (wanted.TopicId == Guid.Empty || context.ApiVersion < FirstWithTopicIds ? "" : null),
        TopicId = wanted.TopicId,
        IsInternal = wanted.Name is not null && InternalTopics.Contains(wanted.Name),
    };

    private static MetadataResponse.MetadataResponseTopic Describe(
        RequestContext context, MetadataImage image, TopicImage topic, bool wantsOperations)
    {
        var listener = context.Connection.Listener;
        var knowsCode = context.ApiVersion >= FirstWithListenerNotFound;
        var partitions = new List<MetadataResponse.MetadataResponsePartition>(topic.Partitions.Count);
        foreach (var partition in topic.Partitions)
        {
            var (leader, error) = SeenLeader.Of(image, partition, listener);
            partitions.Add(new MetadataResponse.MetadataResponsePartition
            {
                ErrorCode = (short)(!knowsCode && error == ErrorCode.ListenerNotFound ? ErrorCode.LeaderNotAvailable : error),
                PartitionIndex = partition.Index,
                LeaderId = leader,
                LeaderEpoch = partition.LeaderEpoch,
                ReplicaNodes = [.. image.Replicas(partition).Select(node => node.Value)],
                IsrNodes = [.. image.InSyncReplicas(partition).Select(node => node.Value)],
                OfflineReplicas = [.. image.OfflineReplicas(partition).Select(node => node.Value)],
            });
        }

        return new MetadataResponse.MetadataResponseTopic
        {
            Name = topic.Name,
            TopicId = topic.Id,
            IsInternal = topic.IsInternal,
            Partitions = partitions,
            TopicAuthorizedOperations = wantsOperations ? AuthorizedOperations.OnTopic(context.Access, topic.Name) : AuthorizedOperations.Unknown,
        };
    }

    private async ValueTask CreateMissingAsync(RequestContext context, MetadataRequest request, MetadataImage image, CancellationToken token)
    {
        // Before v4 there is no flag, and the broker's setting alone decides.
        if ((context.ApiVersion >= 4 && !request.AllowAutoTopicCreation) || !IsSet(image, BrokerConfigs.AutoCreateTopicsEnable))
        {
            return;
        }

        var missing = request.Topics!
            .Where(wanted => wanted.Name is not null && wanted.TopicId == Guid.Empty
                && !image.TryGetTopic(wanted.Name, out _) && TopicName.Check(wanted.Name) is null)
            .Select(wanted => wanted.Name!)
            .Distinct(StringComparer.Ordinal)
            .Where(name => context.Access.MayCreate(name))
            .ToList();
        if (missing.Count > 0)
        {
            // What goes wrong here (a name that collides, no live node) leaves the topic unknown: the client asks again.
            await deeds.CreateMissingAsync(context, [.. missing.Select(TopicCreation)], token);
        }
    }

    private CreateTopicsRequest.CreatableTopic TopicCreation(string name) => name == InternalTopics.ConsumerOffsets
        ? OffsetsTopic.Creation(identity, feed.Image)
        : new CreateTopicsRequest.CreatableTopic
        {
            Name = name,
            NumPartitions = Number(BrokerConfigs.NumPartitions),
            ReplicationFactor = (short)Number(BrokerConfigs.DefaultReplicationFactor),
        };

    private bool IsSet(MetadataImage image, string setting) =>
        identity.Configs.Broker(image, setting).AsBoolean();

    private int Number(string setting) =>
        identity.Configs.Broker(feed.Image, setting).AsInt();
}
