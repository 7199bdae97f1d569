using Millrace.Metadata;
using Millrace.Server.Cli.Brokers;
using Xunit;

namespace Millrace.Tests.Server.Cli.Brokers;

/// <summary>What the brokers of a cluster tell of moves, put together.</summary>
public sealed class ClusterMovesTests
{
    private static readonly Guid Id = new(1, 0, 0, new byte[8]);

    [Fact]
    public void A_move_that_both_brokers_tell_of_is_opened_by_the_next_leader_and_had_stopped_as_the_former_says()
    {
        var move = Assert.Single(ClusterMoves.Join(
        [
            Told(0, MovePhase.Done, uploaded: 7, stop: 20, age: 500, endedAgo: 100),
            Told(0, MovePhase.Opening, age: 90),
        ]));

        Assert.Equal((MovePhase.Opening, 7L, 0L), (move.Phase, move.BytesUploaded, move.BytesLeft));
        Assert.Equal((TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500), null), (move.Stop, move.Age, move.EndedAgo));
    }

    [Fact]
    public void What_the_next_leader_alone_tells_of_is_not_known_to_have_stopped()
    {
        var move = Assert.Single(ClusterMoves.Join([Told(0, MovePhase.Opening, age: 90)]));

        Assert.Equal((MovePhase.Opening, null, null), (move.Phase, move.BytesUploaded, move.Stop));
        Assert.Equal(TimeSpan.FromMilliseconds(90), move.Age);
    }

    [Fact]
    public void Moves_that_have_ended_come_first_the_last_one_last_then_those_under_way_by_partition()
    {
        var moves = ClusterMoves.Join(
        [
            Told(5, MovePhase.Stopped), Told(4, MovePhase.Planned), Told(3, MovePhase.Done, endedAgo: 1), Told(1, MovePhase.Cancelled, endedAgo: 9),
            Told(4, MovePhase.Done, endedAgo: 5, epoch: 1),
        ]);

        Assert.Equal([(1, "cancelled"), (4, "done"), (3, "done"), (4, "planned"), (5, "stopped")], moves.Select(move => (move.Partition, move.PhaseInWords)));
    }

    private static DescribeMovesResponse.Move Told(
        int partition, MovePhase phase, long uploaded = 0, long stop = -1, long age = 0, long endedAgo = -1, int epoch = 2) => new()
    {
        Topic = "t", TopicId = Id, Partition = partition, LeaderEpoch = epoch, From = 1, To = 2, Phase = (sbyte)phase, BytesUploaded = uploaded, StopMs = stop,
        AgeMs = age, EndedAgoMs = endedAgo,
    };
}
