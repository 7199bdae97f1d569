using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Data;

/// <summary>OffsetForLeaderEpoch (key 23), v2–4: where a leader epoch ended.</summary>
/// <remarks>v3: the replica that asks. v4: flexible. The end of the current epoch is the end of what is durable.</remarks>
internal sealed class OffsetForLeaderEpochHandler(PartitionTable partitions)
    : IApiHandler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>
{
    public static VersionRange Versions => new(2, 4);

    public void ReportErrors(OffsetForLeaderEpochResponse response, ErrorTally errors) =>
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));

    public ErrorCode Authorize(RequestContext context, OffsetForLeaderEpochRequest request) =>
        context.Access.Topics(Operation.Describe, request.Topics.Select(topic => topic.Topic));

    public OffsetForLeaderEpochResponse Refuse(RequestContext context, OffsetForLeaderEpochRequest request, ErrorCode error) =>
        new()
        {
            Topics =
            [
                .. request.Topics.Select(topic => new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult
                {
                    Topic = topic.Topic,
                    Partitions =
                    [
                        .. topic.Partitions.Select(partition => new OffsetForLeaderEpochResponse.EpochEndOffset
                        {
                            Partition = partition.Partition,
                            ErrorCode = (short)error,
                        }),
                    ],
                }),
            ],
        };

    public async ValueTask<OffsetForLeaderEpochResponse> HandleAsync(
        RequestContext context, OffsetForLeaderEpochRequest request, CancellationToken token)
    {
        await partitions.WhenOpenAsync(request.Topics.SelectMany(topic => topic.Partitions, (topic, partition) => (topic.Topic, partition.Partition)), token);
        return new OffsetForLeaderEpochResponse
        {
            Topics = [.. request.Topics.Select(topic => new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult
            {
                Topic = topic.Topic,
                Partitions = [.. topic.Partitions.Select(partition => Find(topic.Topic, partition))],
            })],
        };
    }

    private OffsetForLeaderEpochResponse.EpochEndOffset Find(string topic, OffsetForLeaderEpochRequest.OffsetForLeaderPartition wanted)
    {
        var lookup = partitions.Find(topic, wanted.Partition);
        var end = (Epoch: LeaderEpochs.None, EndOffset: -1L);
        var error = lookup.Partition?.FindEpochEnd(wanted.CurrentLeaderEpoch, wanted.LeaderEpoch, out end) ?? lookup.Error;
        return new OffsetForLeaderEpochResponse.EpochEndOffset
        {
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(error),
            Partition = wanted.Partition,
            LeaderEpoch = end.Epoch,
            EndOffset = end.EndOffset,
        };
    }
}
