using Millrace.Network.Access;
using Millrace.Broker.Membership;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>DescribeTopicPartitions (key 75), v0: topics in the order of their names, a page at a time (KIP-966).</summary>
/// <remarks>
/// No topics stand for all. A page ends after as many partitions as the client or the broker allows, and says where the next begins.
/// Without replicas that copy there are no eligible leaders beside the in-sync ones, so those lists are empty.
/// </remarks>
internal sealed class DescribeTopicPartitionsHandler(IMetadataFeed feed)
    : IApiHandler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>
{
    // Kafka's max.request.partition.size.limit.
    private const int MaxPartitions = 2_000;

    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(DescribeTopicPartitionsResponse response, ErrorTally errors)
    {
        errors.Add(response.Topics.Select(topic => topic.ErrorCode));
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, DescribeTopicPartitionsRequest request) =>
        context.Access.Topics(Operation.Describe, request.Topics.Select(topic => topic.Name));

    public DescribeTopicPartitionsResponse Refuse(RequestContext context, DescribeTopicPartitionsRequest request, ErrorCode error) =>
        new() { Topics = [.. request.Topics.Select(topic => Failed(topic.Name, error, AuthorizedOperations.Unknown))] };

    public ValueTask<DescribeTopicPartitionsResponse> HandleAsync(
        RequestContext context, DescribeTopicPartitionsRequest request, CancellationToken token)
    {
        var image = feed.Image;
        var isAll = request.Topics.Count == 0;
        var cursor = request.Cursor;
        if (cursor is not null && (cursor.PartitionIndex < 0 || (!isAll && !request.Topics.Any(topic => topic.Name == cursor.TopicName))))
        {
            return ValueTask.FromResult(new DescribeTopicPartitionsResponse
            {
                Topics = [.. request.Topics.Select(topic => Failed(topic.Name, ErrorCode.InvalidRequest, AuthorizedOperations.Unknown))],
            });
        }

        var names = (isAll
            ? image.Topics.Keys.Where(topic => context.Access.Allows(Operation.Describe, ResourceKind.Topic, topic))
            : request.Topics.Select(topic => topic.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            .Where(name => cursor is null || string.CompareOrdinal(name, cursor.TopicName) >= 0);
        return ValueTask.FromResult(Page(context, image, names, cursor, Math.Clamp(request.ResponsePartitionLimit, 1, MaxPartitions)));
    }

    private static DescribeTopicPartitionsResponse Page(
        RequestContext context, MetadataImage image, IEnumerable<string> names, DescribeTopicPartitionsRequest.CursorData? from, int room)
    {
        var topics = new List<DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic>();
        foreach (var name in names)
        {
            if (room == 0)
            {
                return new DescribeTopicPartitionsResponse { Topics = topics, NextCursor = new() { TopicName = name, PartitionIndex = 0 } };
            }

            if (!image.TryGetTopic(name, out var topic))
            {
                topics.Add(Failed(
                    name,
                    TopicName.Check(name) is null ? ErrorCode.UnknownTopicOrPartition : ErrorCode.InvalidTopicException,
                    AuthorizedOperations.OnTopic(context.Access, name)));
                continue;
            }

            var first = name == from?.TopicName ? from.PartitionIndex : 0;
            var described = Describe(context, image, topic, first, room);
            topics.Add(described);
            room -= described.Partitions.Count;
            if (first < topic.Partitions.Count && first + described.Partitions.Count < topic.Partitions.Count)
            {
                return new DescribeTopicPartitionsResponse
                {
                    Topics = topics,
                    NextCursor = new() { TopicName = name, PartitionIndex = first + described.Partitions.Count },
                };
            }
        }

        return new DescribeTopicPartitionsResponse { Topics = topics };
    }

    private static DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic Describe(
        RequestContext context, MetadataImage image, TopicImage topic, int first, int count) => new()
    {
        Name = topic.Name,
        TopicId = topic.Id,
        IsInternal = topic.IsInternal,
        TopicAuthorizedOperations = AuthorizedOperations.OnTopic(context.Access, topic.Name),
        Partitions = [.. topic.Partitions.Skip(first).Take(count).Select(partition => Describe(context, image, partition))],
    };

    private static DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponsePartition Describe(
        RequestContext context, MetadataImage image, PartitionImage partition)
    {
        var (leader, error) = SeenLeader.Of(image, partition, context.Connection.Listener);
        return new()
        {
            ErrorCode = (short)error,
            PartitionIndex = partition.Index,
            LeaderId = leader,
            LeaderEpoch = partition.LeaderEpoch,
            ReplicaNodes = [.. image.Replicas(partition).Select(node => node.Value)],
            IsrNodes = [.. image.InSyncReplicas(partition).Select(node => node.Value)],
            EligibleLeaderReplicas = [],
            LastKnownElr = [],
            OfflineReplicas = [.. image.OfflineReplicas(partition).Select(node => node.Value)],
        };
    }

    private static DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic Failed(string name, ErrorCode error, int operations) => new()
    {
        ErrorCode = (short)error,
        Name = name,
        IsInternal = InternalTopics.Contains(name),
        TopicAuthorizedOperations = operations,
    };
}
