using Millrace.Broker.Errors;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Purgatory;
using Millrace.Metadata;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;

namespace Millrace.Broker.Apis.Data;

/// <summary>FollowPartition (key 10024), v0, of our own: what this broker has of a partition that it leads, for one in another rack.</summary>
/// <remarks>It is a fetch under all rules of one. Who follows is told at once of records, and of another start of the log; else when its time is up.</remarks>
internal sealed class FollowPartitionHandler(
    NodeRuntime runtime, PartitionTable partitions, FetchPurgatory purgatory, FetchLimit limit, ClientRacks racks, RackMetrics metrics, int leastInWal)
    : IApiHandler<FollowPartitionRequest, FollowPartitionResponse>
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromMilliseconds(500);

    public static VersionRange Versions => new(0, 0);

    /// <summary>How long its sender lets it wait.</summary>
    public static TimeSpan PatienceOf(FollowPartitionRequest request) => WaitOf(request) is var wait && wait > OpeningPatience ? wait : OpeningPatience;

    public void ReportErrors(FollowPartitionResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, FollowPartitionRequest request) => ErrorCode.None;

    public FollowPartitionResponse Refuse(RequestContext context, FollowPartitionRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<FollowPartitionResponse> HandleAsync(RequestContext context, FollowPartitionRequest request, CancellationToken token)
    {
        if (!request.Follows)
        {
            // Other partitions' questions come by the same connection.
            context.AllowNext();
        }

        var lookup = partitions.Image.TryGetTopic(request.TopicId, out var topic)
            ? partitions.Find(topic, request.Partition)
            : new PartitionLookup(PartitionError.UnknownTopicId, null, null);
        if (lookup.Partition is not { } partition)
        {
            return Refuse(context, request, KafkaErrorMap.ToErrorCode(lookup.Error));
        }

        var began = runtime.Time.GetTimestamp();
        await partitions.WhenOpenAsync([partition], PatienceOf(request), token);
        if (request is { Follows: true, MaxBytes: 0 })
        {
            var word = await partition.ReadAsync(new PartitionFetch(partition.HighWatermark, 0, AtLeastOne: false, request.LeaderEpoch, -1), token);
            return Answer(partition, request.Offset, word);
        }

        var offset = request.Follows ? PlaceOf(partition, request) : request.Offset;
        var fetched = new FetchedPartition(lookup, new FetchRequest.FetchPartition
        {
            FetchOffset = offset,
            CurrentLeaderEpoch = request.LeaderEpoch,
            LastFetchedEpoch = request.LastFetchedEpoch,
            PartitionMaxBytes = request.MaxBytes,
        });
        var fetch = new FetchPass([fetched], limit, request.MaxBytes);
        context.ReleaseAfterResponse(fetch);
        await fetch.ReadAsync(token);

        var isNews = offset != request.Offset || fetched.Read.LogStartOffset != request.LogStartOffset;
        var left = WaitOf(request) - runtime.Time.GetElapsedTime(began);
        if (request.Follows && fetch.Bytes == 0 && fetch.MayWait && !isNews && left > TimeSpan.Zero)
        {
            fetch.Release();
            await purgatory.WaitAsync(fetch.Watch(missing: 1), left, token);
            await fetch.ReadAsync(token);
        }

        if (request.ReadsWal && fetch.Bytes > 0 && partition.FindInWal(offset, leastInWal, request.MaxBytes) is { Count: > 0 } extents)
        {
            fetch.Release();
            return Answer(partition, offset, fetched.Read, extents);
        }

        if (racks.IsElsewhere(new NodeId(request.NodeId)))
        {
            metrics.Followed(fetch.Bytes);
        }

        return Answer(partition, offset, fetched.Read);
    }

    private static TimeSpan WaitOf(FollowPartitionRequest request) =>
        TimeSpan.FromMilliseconds(Math.Clamp(request.MaxWaitMs, 0, (long)LongestWait.TotalMilliseconds));

    /// <summary>Where the records begin that somebody who follows is told next: none that are gone, and none that it reads from objects.</summary>
    private static long PlaceOf(Partition partition, FollowPartitionRequest request)
    {
        // In this order: they only rise, and none passes those behind it.
        var (start, committed) = (partition.LogStartOffset, partition.CommittedOffset);
        var end = partition.HighWatermark;
        return request.Offset < 0 ? end : Math.Min(Math.Max(request.Offset, Math.Max(start, committed)), end);
    }

    private static FollowPartitionResponse Answer(Partition partition, long offset, PartitionRead read, IReadOnlyList<WalExtent>? extents = null) => new()
    {
        ErrorCode = (short)KafkaErrorMap.ToErrorCode(read.Error),
        LeaderEpoch = partition.LeaderEpoch,
        HighWatermark = extents is [.., var last] ? Math.Max(read.HighWatermark, last.EndOffset) : read.HighWatermark,
        LogStartOffset = read.LogStartOffset,

        // It may be above what was confirmed when that was read.
        CommittedOffset = Math.Min(partition.CommittedOffset, read.HighWatermark),
        Offset = offset,
        DivergingEpoch = read.Diverging?.Epoch ?? -1,
        DivergingOffset = read.Diverging?.EndOffset ?? -1,
        Records = FetchHandler.InOnePiece(read.Records),
        Extents =
        [
            .. (extents ?? []).Select(static extent => new FollowPartitionResponse.Extent
            {
                Location = extent.Location, Term = extent.Term, Index = extent.Index, EndOffset = extent.EndOffset, Bytes = extent.Bytes,
            }),
        ],
    };
}
