using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Moves;
using Millrace.Metadata;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeMoves (key 10041), v0, of our own: the moves of partitions that this broker takes part in, and the last that it was to hand over.</summary>
internal sealed class DescribeMovesHandler(TimeProvider time, PartitionTable partitions) : IApiHandler<DescribeMovesRequest, DescribeMovesResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(DescribeMovesResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, DescribeMovesRequest request) => context.Access.Cluster(Operation.Describe);

    public DescribeMovesResponse Refuse(RequestContext context, DescribeMovesRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public ValueTask<DescribeMovesResponse> HandleAsync(RequestContext context, DescribeMovesRequest request, CancellationToken token)
    {
        var moves = partitions.Moves;
        var now = time.GetTimestamp();
        return ValueTask.FromResult(new DescribeMovesResponse { Moves = [.. moves.Select(move => Describe(move, now))] });
    }

    private DescribeMovesResponse.Move Describe(MoveProgress move, long now) => new()
    {
        Topic = move.Id.Topic,
        TopicId = move.Id.TopicId,
        Partition = move.Id.Partition,
        LeaderEpoch = move.LeaderEpoch,
        From = move.From.Value,
        To = move.To.Value,
        Phase = (sbyte)move.Phase,
        BytesLeft = move.BytesLeft,
        BytesUploaded = move.BytesUploaded,
        StopMs = Between(move.StoppedAt, move.EndedAt ?? now),
        AgeMs = Between(move.Since, now),
        EndedAgoMs = Between(move.EndedAt, now),
    };

    /// <summary>In milliseconds; -1 where it has not begun.</summary>
    private long Between(long? began, long end) => began is { } from ? (long)time.GetElapsedTime(from, end).TotalMilliseconds : -1;
}
