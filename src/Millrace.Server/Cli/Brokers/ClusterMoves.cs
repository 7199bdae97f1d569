using Confluent.Kafka;
using Millrace.Metadata;

namespace Millrace.Server.Cli.Brokers;

/// <summary>The moves of partitions that the brokers of a cluster tell of, each asked by itself.</summary>
/// <param name="Moves">Those that have ended, the last one last, then those under way by topic and partition.</param>
/// <param name="Silent">The live brokers that could not be asked: of moves away from these nothing is known.</param>
internal sealed record ClusterMoves(IReadOnlyList<MoveView> Moves, IReadOnlyList<int> Silent)
{
    /// <param name="cluster">The brokers.</param>
    /// <param name="config">How the command's clients connect.</param>
    /// <param name="limit">For each of them, all at once.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="KafkaException">One refuses to tell.</exception>
    public static async Task<ClusterMoves> AskAsync(ClusterView cluster, ClientConfig config, TimeSpan limit, CancellationToken token)
    {
        var answers = await EachBroker.AskAsync<DescribeMovesRequest, DescribeMovesResponse>(cluster, config, new DescribeMovesRequest(), limit, token);
        if (answers.FirstOrDefault(one => one.Answer is { ErrorCode: not 0 }).Answer is { } refusal)
        {
            throw new KafkaException((ErrorCode)refusal.ErrorCode);
        }

        return new ClusterMoves(
            Join(answers.Select(one => one.Answer).OfType<DescribeMovesResponse>().SelectMany(answer => answer.Moves)),
            [.. answers.Where(one => one.Answer is null).Select(one => one.Broker.Id)]);
    }

    /// <summary>
    /// One for each move, whoever tells of it. A leader may tell of several of one partition at one epoch, since a cancelled one leaves that as it is; what the
    /// next leader opens is the last of them that went there.
    /// </summary>
    public static IReadOnlyList<MoveView> Join(IEnumerable<DescribeMovesResponse.Move> told)
    {
        var byTeller = told.ToLookup(move => move.Phase == (sbyte)MovePhase.Opening);
        var gone = byTeller[false].Where(HasGoneOrMayHave).ToLookup(WayOf);
        var opening = byTeller[true].Select(next => (Next: next, Former: gone[WayOf(next)].MinBy(move => move.EndedAgoMs))).ToList();
        return
        [
            .. byTeller[false].Except(opening.Select(one => one.Former)).Select(former => View(former!, former))
                .Concat(opening.Select(one => View(one.Next, one.Former)))
                .OrderByDescending(move => move.EndedAgo ?? TimeSpan.MinValue)
                .ThenBy(move => move.Topic, StringComparer.Ordinal)
                .ThenBy(move => move.Partition),
        ];
    }

    private static (Guid TopicId, int Partition, int LeaderEpoch, int To) WayOf(DescribeMovesResponse.Move move) =>
        (move.TopicId, move.Partition, move.LeaderEpoch, move.To);

    /// <summary>Its former leader may not have heard yet that it is done.</summary>
    private static bool HasGoneOrMayHave(DescribeMovesResponse.Move move) => move.Phase == (sbyte)MovePhase.Done || move.EndedAgoMs < 0;

    private static MoveView View(DescribeMovesResponse.Move now, DescribeMovesResponse.Move? former) =>
        new(now.Topic, now.Partition, now.From, now.To, (MovePhase)now.Phase)
        {
            BytesLeft = now.BytesLeft,
            BytesUploaded = former?.BytesUploaded,
            Stop = Milliseconds(former?.StopMs ?? -1),
            Age = TimeSpan.FromMilliseconds((former ?? now).AgeMs),
            EndedAgo = Milliseconds(now.EndedAgoMs),
        };

    private static TimeSpan? Milliseconds(long value) => value < 0 ? null : TimeSpan.FromMilliseconds(value);
}
