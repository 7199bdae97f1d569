using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Groups;

/// <summary>OffsetCommit (key 8), v2–10.</summary>
/// <remarks>
/// v2–4: retention chosen by the client. v3: throttle time. v6: leader epoch. v7: static membership (KIP-345). v8: flexible. v9:
/// GROUP_ID_NOT_FOUND instead of ILLEGAL_GENERATION. v10: topics by id. Offsets of partitions that do not exist are
/// refused one by one, and the others are stored.
/// </remarks>
internal sealed class OffsetCommitHandler(IMetadataFeed feed, GroupCoordinator groups) : IApiHandler<OffsetCommitRequest, OffsetCommitResponse>
{
    private const short FirstThatKnowsGroupNotFound = 9;
    private const short FirstWithTopicIds = 10;

    public static VersionRange Versions => new(2, 10);

    public void ReportErrors(OffsetCommitResponse response, ErrorTally errors) =>
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));

    public ErrorCode Authorize(RequestContext context, OffsetCommitRequest request) =>
        context.Access.Group(Operation.Read, request.GroupId) is var group and not ErrorCode.None ? group
            : context.Access.Topics(
                Operation.Read,
                request.Topics.Select(topic => TopicOf(context, topic).NameIn(feed.Image)).OfType<string>());

    public OffsetCommitResponse Refuse(RequestContext context, OffsetCommitRequest request, ErrorCode error) =>
        new()
        {
            Topics =
            [
                .. request.Topics.Select(topic => new OffsetCommitResponse.OffsetCommitResponseTopic
                {
                    Name = topic.Name,
                    TopicId = topic.TopicId,
                    Partitions =
                    [
                        .. topic.Partitions.Select(partition => new OffsetCommitResponse.OffsetCommitResponsePartition
                        {
                            PartitionIndex = partition.PartitionIndex,
                            ErrorCode = (short)error,
                        }),
                    ],
                }),
            ],
        };

    public async ValueTask<OffsetCommitResponse> HandleAsync(RequestContext context, OffsetCommitRequest request, CancellationToken token)
    {
        var image = feed.Image;
        var offsets = new List<OffsetToCommit>();
        var checks = request.Topics.Select(topic => Check(image, TopicOf(context, topic), topic, offsets)).ToList();
        var answer = offsets.Count == 0 ? new OffsetCommitAnswer(GroupError.None, []) : await groups.CommitAsync(ToCommand(context, request, offsets), token);
        var next = 0;
        var topics = new List<OffsetCommitResponse.OffsetCommitResponseTopic>(request.Topics.Count);
        foreach (var (topic, errors) in request.Topics.Zip(checks))
        {
            var partitions = new List<OffsetCommitResponse.OffsetCommitResponsePartition>(topic.Partitions.Count);
            foreach (var (partition, error) in topic.Partitions.Zip(errors))
            {
                // What was refused here did not reach the coordinator; its answers are those of the others, in order.
                var outcome = error != ErrorCode.None ? error
                    : KafkaErrorMap.ToErrorCode(answer.Error != GroupError.None ? answer.Error : answer.Offsets[next++]);
                partitions.Add(new() { PartitionIndex = partition.PartitionIndex, ErrorCode = (short)outcome });
            }

            topics.Add(new() { Name = topic.Name, TopicId = topic.TopicId, Partitions = partitions });
        }

        return new OffsetCommitResponse { Topics = topics };
    }

    private static TopicReference TopicOf(RequestContext context, OffsetCommitRequest.OffsetCommitRequestTopic topic) =>
        new(topic.Name, topic.TopicId, IsById: context.ApiVersion >= FirstWithTopicIds);

    /// <summary>Says of each partition whether there is one, and adds the offsets of those that there are.</summary>
    private static List<ErrorCode> Check(
        MetadataImage image, TopicReference reference, OffsetCommitRequest.OffsetCommitRequestTopic topic, List<OffsetToCommit> offsets)
    {
        if (reference.FindIn(image) is not { } known)
        {
            return [.. topic.Partitions.Select(_ => KafkaErrorMap.ToErrorCode(reference.Absence))];
        }

        var errors = new List<ErrorCode>(topic.Partitions.Count);
        foreach (var partition in topic.Partitions)
        {
            var exists = known.FindPartition(partition.PartitionIndex) is not null;
            errors.Add(exists ? ErrorCode.None : ErrorCode.UnknownTopicOrPartition);
            if (exists)
            {
                offsets.Add(new OffsetToCommit(
                    known.Name, known.Id, partition.PartitionIndex,
                    partition.CommittedOffset, partition.CommittedLeaderEpoch, partition.CommittedMetadata ?? ""));
            }
        }

        return errors;
    }

    private static OffsetCommitCommand ToCommand(RequestContext context, OffsetCommitRequest request, List<OffsetToCommit> offsets) => new()
    {
        GroupId = request.GroupId,
        Member = new MemberIdentity(request.MemberId, request.GroupInstanceId),
        Generation = request.GenerationIdOrMemberEpoch,
        Retention = request.RetentionTimeMs < 0 ? null : TimeSpan.FromMilliseconds(Math.Min(request.RetentionTimeMs, int.MaxValue * 1000L)),
        KnowsGroupNotFound = context.ApiVersion >= FirstThatKnowsGroupNotFound,
        Offsets = offsets,
    };
}
