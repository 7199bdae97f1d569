using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>OffsetDelete (key 47), v0: a group forgets offsets of topics that its members do not consume.</summary>
/// <remarks>Never flexible. Partitions that do not exist are refused one by one; of one without an offset there is nothing to forget.</remarks>
internal sealed class OffsetDeleteHandler(IMetadataFeed feed, GroupCoordinator groups) : IApiHandler<OffsetDeleteRequest, OffsetDeleteResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(OffsetDeleteResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, OffsetDeleteRequest request) =>
        context.Access.Group(Operation.Delete, request.GroupId) is var group and not ErrorCode.None ? group
            : context.Access.Topics(Operation.Read, request.Topics.Select(topic => topic.Name));

    public OffsetDeleteResponse Refuse(RequestContext context, OffsetDeleteRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<OffsetDeleteResponse> HandleAsync(RequestContext context, OffsetDeleteRequest request, CancellationToken token)
    {
        var image = feed.Image;
        var exist = request.Topics
            .GroupBy(topic => topic.Name, topic => topic.Partitions.Select(partition => partition.PartitionIndex), StringComparer.Ordinal)
            .Select(topic => (Topic: topic.Key, Partitions: topic.SelectMany(indexes => indexes).Distinct()
                .ToLookup(index => image.TryGetTopic(topic.Key, out var known) && known.FindPartition(index) is not null)))
            .ToList();
        var answer = await groups.DeleteOffsetsAsync(
            new OffsetDeleteCommand(request.GroupId, [.. exist.Select(topic => new TopicPartitions(topic.Topic, [.. topic.Partitions[true]]))]), token);
        return answer.Error != GroupError.None
            ? new OffsetDeleteResponse { ErrorCode = (short)KafkaErrorMap.ToErrorCode(answer.Error) }
            : new OffsetDeleteResponse
            {
                Topics =
                [
                    .. exist.Select(topic => new OffsetDeleteResponse.OffsetDeleteResponseTopic
                    {
                        Name = topic.Topic,
                        Partitions =
                        [
                            .. topic.Partitions[false].Select(index => Answer(index, ErrorCode.UnknownTopicOrPartition)),
                            .. topic.Partitions[true].Select(index => Answer(
                                index, answer.SubscribedTopics.Contains(topic.Topic) ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None)),
                        ],
                    }),
                ],
            };
    }

    private static OffsetDeleteResponse.OffsetDeleteResponsePartition Answer(int index, ErrorCode error) =>
        new() { PartitionIndex = index, ErrorCode = (short)error };
}
