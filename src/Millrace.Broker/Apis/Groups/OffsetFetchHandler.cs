using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>OffsetFetch (key 9), v1–10.</summary>
/// <remarks>
/// v2: null topics mean all; an error of the whole. v3: throttle time. v5: leader epoch. v6: flexible. v7: requireStable, which
/// finds nothing unstable as long as there are no transactions. v8: several groups. v9: member id and epoch, which classic
/// groups do not look at. v10: topics by id. A partition without a commit has offset -1 and no error.
/// </remarks>
internal sealed class OffsetFetchHandler(IMetadataFeed feed, GroupCoordinator groups) : IApiHandler<OffsetFetchRequest, OffsetFetchResponse>
{
    private const short FirstWithErrorOfTheWhole = 2;
    private const short FirstWithSeveralGroups = 8;
    private const short FirstWithTopicIds = 10;

    public static VersionRange Versions => new(1, 10);

    public void ReportErrors(OffsetFetchResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));
        errors.Add(response.Groups.Select(group => group.ErrorCode));
        errors.Add(response.Groups.SelectMany(group => group.Topics).SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, OffsetFetchRequest request) =>
        context.ApiVersion < FirstWithSeveralGroups
            ? Authorize(context, request.GroupId, request.Topics?.Select(topic => topic.Name) ?? [])
            : request.Groups.Select(group => Authorize(context, group.GroupId, NamesIn(context, group))).FirstOrDefault(error => error != ErrorCode.None);

    public OffsetFetchResponse Refuse(RequestContext context, OffsetFetchRequest request, ErrorCode error) =>
        context.ApiVersion < FirstWithSeveralGroups
            ? RefuseOne(context, request, error)
            : new()
            {
                Groups =
                [
                    .. request.Groups.Select(group => new OffsetFetchResponse.OffsetFetchResponseGroup { GroupId = group.GroupId, ErrorCode = (short)error }),
                ],
            };

    public async ValueTask<OffsetFetchResponse> HandleAsync(RequestContext context, OffsetFetchRequest request, CancellationToken token)
    {
        if (context.ApiVersion < FirstWithSeveralGroups)
        {
            return await FetchOneAsync(context, request, token);
        }

        var byId = context.ApiVersion >= FirstWithTopicIds;
        var fetches = request.Groups.Select(group => FetchAsync(context, group, byId, token)).ToList();
        return new OffsetFetchResponse { Groups = await Task.WhenAll(fetches) };
    }

    private static ErrorCode Authorize(RequestContext context, string group, IEnumerable<string> topics) =>
        context.Access.Group(Operation.Describe, group) is var error and not ErrorCode.None ? error : context.Access.Topics(Operation.Describe, topics);

    private IEnumerable<string> NamesIn(RequestContext context, OffsetFetchRequest.OffsetFetchRequestGroup group) =>
        (group.Topics ?? [])
            .Select(topic => new TopicReference(topic.Name, topic.TopicId, IsById: context.ApiVersion >= FirstWithTopicIds).NameIn(feed.Image))
            .OfType<string>();

    /// <summary>Those that the sender may know of, who may have asked for all.</summary>
    private static IEnumerable<TopicOffsets> Seen(RequestContext context, IEnumerable<TopicOffsets> topics) =>
        topics.Where(topic => context.Access.Allows(Operation.Describe, ResourceKind.Topic, topic.Topic));

    /// <summary>v1 has no place for an error but the partitions.</summary>
    private static OffsetFetchResponse RefuseOne(RequestContext context, OffsetFetchRequest request, ErrorCode error)
    {
        var topics = context.ApiVersion < FirstWithErrorOfTheWhole ? request.Topics ?? [] : [];
        return Show(error, topics.Select(topic => new TopicOffsets(topic.Name, [.. topic.PartitionIndexes.Select(PartitionOffset.None)])));
    }

    private async ValueTask<OffsetFetchResponse> FetchOneAsync(RequestContext context, OffsetFetchRequest request, CancellationToken token)
    {
        var image = feed.Image;
        var query = request.Topics?.Select(topic => new TopicOffsetsQuery(topic.Name, IdOf(image, topic.Name), topic.PartitionIndexes)).ToList();
        var answer = await groups.FetchAsync(new OffsetFetchQuery(request.GroupId, query), token);
        return answer.Error == GroupError.None
            ? Show(ErrorCode.None, Seen(context, answer.Topics))
            : RefuseOne(context, request, KafkaErrorMap.ToErrorCode(answer.Error));
    }

    private static OffsetFetchResponse Show(ErrorCode error, IEnumerable<TopicOffsets> topics) => new()
    {
        ErrorCode = (short)error,
        Topics = [.. topics.Select(topic => new OffsetFetchResponse.OffsetFetchResponseTopic
        {
            Name = topic.Topic,
            Partitions = [.. topic.Partitions.Select(offset => new OffsetFetchResponse.OffsetFetchResponsePartition
            {
                PartitionIndex = offset.Partition,
                CommittedOffset = offset.Offset,
                CommittedLeaderEpoch = offset.LeaderEpoch,
                Metadata = offset.Metadata,
                ErrorCode = (short)error,
            })],
        })],
    };

    private async Task<OffsetFetchResponse.OffsetFetchResponseGroup> FetchAsync(
        RequestContext context, OffsetFetchRequest.OffsetFetchRequestGroup group, bool byId, CancellationToken token)
    {
        var image = feed.Image;
        var answer = await groups.FetchAsync(new OffsetFetchQuery(group.GroupId, group.Topics is { } asked ? Query(image, asked, byId) : null), token);
        var found = Seen(context, answer.Topics).Select(topic => Show(topic, IdOf(image, topic.Topic)));
        if (answer.Error == GroupError.None && byId)
        {
            // Without a name a topic cannot be looked up, and without an id it cannot be told to this client.
            found = found.Where(topic => topic.TopicId != Guid.Empty)
                .Concat((group.Topics ?? []).Where(topic => !image.TryGetTopic(topic.TopicId, out _)).Select(Unknown));
        }

        return new OffsetFetchResponse.OffsetFetchResponseGroup
        {
            GroupId = group.GroupId,
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(answer.Error),
            Topics = [.. found],
        };
    }

    private static List<TopicOffsetsQuery> Query(MetadataImage image, IReadOnlyList<OffsetFetchRequest.OffsetFetchRequestTopics> asked, bool byId)
    {
        var query = new List<TopicOffsetsQuery>(asked.Count);
        foreach (var topic in asked)
        {
            if (!byId)
            {
                query.Add(new TopicOffsetsQuery(topic.Name, IdOf(image, topic.Name), topic.PartitionIndexes));
            }
            else if (image.TryGetTopic(topic.TopicId, out var known))
            {
                query.Add(new TopicOffsetsQuery(known.Name, known.Id, topic.PartitionIndexes));
            }
        }

        return query;
    }

    private static Guid IdOf(MetadataImage image, string topic) => image.TryGetTopic(topic, out var known) ? known.Id : Guid.Empty;

    private static OffsetFetchResponse.OffsetFetchResponseTopics Show(TopicOffsets topic, Guid topicId) => new()
    {
        Name = topic.Topic,
        TopicId = topicId,
        Partitions = [.. topic.Partitions.Select(offset => new OffsetFetchResponse.OffsetFetchResponsePartitions
        {
            PartitionIndex = offset.Partition,
            CommittedOffset = offset.Offset,
            CommittedLeaderEpoch = offset.LeaderEpoch,
            Metadata = offset.Metadata,
        })],
    };

    private static OffsetFetchResponse.OffsetFetchResponseTopics Unknown(OffsetFetchRequest.OffsetFetchRequestTopics topic) => new()
    {
        TopicId = topic.TopicId,
        Partitions = [.. topic.PartitionIndexes.Select(partition => new OffsetFetchResponse.OffsetFetchResponsePartitions
        {
            PartitionIndex = partition,
            CommittedOffset = -1,
            CommittedLeaderEpoch = -1,
            Metadata = "",
            ErrorCode = (short)ErrorCode.UnknownTopicId,
        })],
    };
}
