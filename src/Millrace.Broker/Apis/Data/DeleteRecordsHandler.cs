using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Data;

/// <summary>DeleteRecords (key 21), v0–2: raises the log start offset.</summary>
/// <remarks>v2: flexible. Offset -1 stands for the high watermark. The answer is given when the new log start is durable.</remarks>
internal sealed class DeleteRecordsHandler(NodeRuntime runtime, PartitionTable partitions)
    : IApiHandler<DeleteRecordsRequest, DeleteRecordsResponse>
{
    public static VersionRange Versions => new(0, 2);

    public void ReportErrors(DeleteRecordsResponse response, ErrorTally errors) =>
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));

    public ErrorCode Authorize(RequestContext context, DeleteRecordsRequest request) =>
        context.Access.Topics(Operation.Delete, request.Topics.Select(topic => topic.Name));

    public DeleteRecordsResponse Refuse(RequestContext context, DeleteRecordsRequest request, ErrorCode error) =>
        new()
        {
            Topics =
            [
                .. request.Topics.Select(topic => new DeleteRecordsResponse.DeleteRecordsTopicResult
                {
                    Name = topic.Name,
                    Partitions =
                    [
                        .. topic.Partitions.Select(partition => new DeleteRecordsResponse.DeleteRecordsPartitionResult
                        {
                            PartitionIndex = partition.PartitionIndex,
                            ErrorCode = (short)error,
                            LowWatermark = -1,
                        }),
                    ],
                }),
            ],
        };

    public async ValueTask<DeleteRecordsResponse> HandleAsync(RequestContext context, DeleteRecordsRequest request, CancellationToken token)
    {
        using var deadline = new RequestDeadline(runtime, TimeSpan.FromMilliseconds(request.TimeoutMs), token);

        // Whatever the time-out says it begins at once, as in Kafka, where it is done at once too.
        deadline.AwaitOutcome();
        var topics = new List<DeleteRecordsResponse.DeleteRecordsTopicResult>(request.Topics.Count);
        foreach (var topic in Merge(request.Topics))
        {
            // Each waits for the controller: all at once, so that they share its log entries.
            var results = await Task.WhenAll(topic.Partitions.Select(partition => DeleteAsync(topic.Name, partition, deadline.Token)));
            topics.Add(new DeleteRecordsResponse.DeleteRecordsTopicResult { Name = topic.Name, Partitions = results });
        }

        token.ThrowIfCancellationRequested();
        return new DeleteRecordsResponse { Topics = topics };
    }

    /// <summary>Of a partition that is named twice the last offset counts, as in Kafka.</summary>
    private static IEnumerable<(string Name, IEnumerable<DeleteRecordsRequest.DeleteRecordsPartition> Partitions)> Merge(
        IReadOnlyList<DeleteRecordsRequest.DeleteRecordsTopic> topics) =>
        topics.GroupBy(topic => topic.Name, topic => topic.Partitions, StringComparer.Ordinal)
            .Select(topic => (topic.Key, topic.SelectMany(partitions => partitions).Reverse().DistinctBy(partition => partition.PartitionIndex).Reverse()));

    private async Task<DeleteRecordsResponse.DeleteRecordsPartitionResult> DeleteAsync(
        string topic, DeleteRecordsRequest.DeleteRecordsPartition wanted, CancellationToken deadline)
    {
        var (error, logStart) = await DeleteAsync(topic, wanted.PartitionIndex, wanted.Offset, deadline);
        return new DeleteRecordsResponse.DeleteRecordsPartitionResult
        {
            PartitionIndex = wanted.PartitionIndex,
            LowWatermark = logStart,
            ErrorCode = (short)KafkaErrorMap.ToErrorCode(error),
        };
    }

    private async ValueTask<(PartitionError Error, long LogStartOffset)> DeleteAsync(string topic, int index, long offset, CancellationToken deadline)
    {
        if (InternalTopics.Contains(topic))
        {
            return (PartitionError.InternalTopic, -1);
        }

        var lookup = partitions.Find(topic, index);
        if (lookup.Partition is not { } partition)
        {
            return (lookup.Error, -1);
        }

        try
        {
            var error = await partition.WhenOpenAsync(deadline);
            return error == PartitionError.None ? await partition.DeleteRecordsAsync(offset, deadline) : (error, -1);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return (PartitionError.TimedOut, -1);
        }
    }
}
