using Millrace.Network.Access;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Data;

/// <summary>ListOffsets (key 2), v1–11: offsets by time, and the special ones.</summary>
/// <remarks>
/// v2: isolation level. v4: leader epochs. v7: the offset of the largest timestamp (-3). v8: the earliest offset on local storage
/// (-4), which is the earliest: there is no other tier. v9: the last tiered offset (-5), v11: the earliest that waits for its
/// upload to a tier (-6): there are none. v10: a time-out, which is for lookups that go to the object store.
/// Without transactions the last stable offset is the high watermark.
/// </remarks>
internal sealed class ListOffsetsHandler(NodeRuntime runtime, PartitionTable partitions)
    : IApiHandler<ListOffsetsRequest, ListOffsetsResponse>
{
    private const long Latest = -1;
    private const long Earliest = -2;
    private const long NewestTime = -3;
    private const long EarliestLocal = -4;
    private const long LastTiered = -5;
    private const long EarliestPendingUpload = -6;

    // For whoever states none (before v10 nobody can), or none that is positive: Kafka's own limit for such lookups.
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(30);

    public static VersionRange Versions => new(1, 11);

    /// <summary>How long its client lets it wait.</summary>
    public static TimeSpan PatienceOf(ListOffsetsRequest request) => request.TimeoutMs > 0 ? TimeSpan.FromMilliseconds(request.TimeoutMs) : UsualPatience;

    public void ReportErrors(ListOffsetsResponse response, ErrorTally errors) =>
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));

    public ErrorCode Authorize(RequestContext context, ListOffsetsRequest request) =>
        context.Access.Topics(Operation.Describe, request.Topics.Select(topic => topic.Name));

    public ListOffsetsResponse Refuse(RequestContext context, ListOffsetsRequest request, ErrorCode error) =>
        new()
        {
            Topics =
            [
                .. request.Topics.Select(topic => new ListOffsetsResponse.ListOffsetsTopicResponse
                {
                    Name = topic.Name,
                    Partitions =
                    [
                        .. topic.Partitions.Select(partition => new ListOffsetsResponse.ListOffsetsPartitionResponse
                        {
                            PartitionIndex = partition.PartitionIndex,
                            ErrorCode = (short)error,
                        }),
                    ],
                }),
            ],
        };

    public async ValueTask<ListOffsetsResponse> HandleAsync(RequestContext context, ListOffsetsRequest request, CancellationToken token)
    {
        await partitions.WhenOpenAsync(
            request.Topics.SelectMany(topic => topic.Partitions, (topic, partition) => (topic.Name, partition.PartitionIndex)), token);

        // A partition that is asked for twice would be answered twice, and the client could not tell which is which.
        var asked = new HashSet<(string, int)>();
        var twice = new HashSet<(string, int)>();
        foreach (var topic in request.Topics)
        {
            foreach (var partition in topic.Partitions)
            {
                if (!asked.Add((topic.Name, partition.PartitionIndex)))
                {
                    twice.Add((topic.Name, partition.PartitionIndex));
                }
            }
        }

        using var deadline = new RequestDeadline(runtime, PatienceOf(request), token);
        var topics = new List<ListOffsetsResponse.ListOffsetsTopicResponse>(request.Topics.Count);
        foreach (var topic in request.Topics)
        {
            // Lookups by time may go to the object store: all of a topic at once.
            var answers = await Task.WhenAll(topic.Partitions.DistinctBy(partition => partition.PartitionIndex).Select(partition =>
                AnswerAsync(context, topic.Name, partition, Refusal(request, twice.Contains((topic.Name, partition.PartitionIndex))), deadline.Token)));
            topics.Add(new ListOffsetsResponse.ListOffsetsTopicResponse { Name = topic.Name, Partitions = answers });
        }

        token.ThrowIfCancellationRequested();
        return new ListOffsetsResponse { Topics = topics };
    }

    private static ErrorCode Refusal(ListOffsetsRequest request, bool isTwice) =>
        request.IsolationLevel is not (0 or 1) ? ErrorCode.UnknownServerError
        : isTwice ? ErrorCode.InvalidRequest
        : ErrorCode.None;

    private async Task<ListOffsetsResponse.ListOffsetsPartitionResponse> AnswerAsync(
        RequestContext context, string topic, ListOffsetsRequest.ListOffsetsPartition wanted, ErrorCode refusal, CancellationToken deadline)
    {
        var (error, found) = refusal != ErrorCode.None ? (refusal, OffsetAtTime.None)
            : context.ApiVersion < FirstVersion(wanted.Timestamp) ? (ErrorCode.UnsupportedVersion, OffsetAtTime.None)
            : await FindInTimeAsync(topic, wanted, deadline);
        return new ListOffsetsResponse.ListOffsetsPartitionResponse
        {
            PartitionIndex = wanted.PartitionIndex,
            ErrorCode = (short)error,
            Timestamp = found.Timestamp,
            Offset = found.Offset,
            // Below v4 there is no room for it, and the codec refuses to lose what a caller set.
            LeaderEpoch = context.ApiVersion >= 4 ? found.LeaderEpoch : -1,
        };
    }

    private async ValueTask<(ErrorCode Error, OffsetAtTime Found)> FindInTimeAsync(
        string topic, ListOffsetsRequest.ListOffsetsPartition wanted, CancellationToken deadline)
    {
        try
        {
            return await FindAsync(topic, wanted, deadline);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return (ErrorCode.RequestTimedOut, OffsetAtTime.None);
        }
    }

    private async ValueTask<(ErrorCode Error, OffsetAtTime Found)> FindAsync(
        string topic, ListOffsetsRequest.ListOffsetsPartition wanted, CancellationToken token)
    {
        var lookup = partitions.Find(topic, wanted.PartitionIndex);
        if (lookup.Partition is not { } partition)
        {
            return (KafkaErrorMap.ToErrorCode(lookup.Error), OffsetAtTime.None);
        }

        var epoch = wanted.CurrentLeaderEpoch;
        OffsetAtTime found;
        var error = PartitionError.None;
        switch (wanted.Timestamp)
        {
            case Latest:
                error = partition.FindLatest(epoch, out found);
                break;
            case Earliest or EarliestLocal:
                error = partition.FindEarliest(epoch, out found);
                break;
            case LastTiered or EarliestPendingUpload:
                // The checks are those of any other question; the answer is that there is none.
                error = partition.FindLatest(epoch, out _);
                found = OffsetAtTime.None;
                break;
            case NewestTime:
                (error, found) = await partition.FindNewestTimeAsync(epoch, token);
                break;
            default:
                (error, found) = await partition.FindByTimeAsync(epoch, wanted.Timestamp, token);
                break;
        }

        return (KafkaErrorMap.ToErrorCode(error), found);
    }

    private static short FirstVersion(long timestamp) => timestamp switch
    {
        NewestTime => 7,
        EarliestLocal => 8,
        LastTiered => 9,
        EarliestPendingUpload => 11,
        // Times before 1970 are not asked for: numbers below are left for what Kafka may mean by them one day.
        < EarliestPendingUpload => short.MaxValue,
        _ => 1,
    };
}
