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
    public void One_that_was_cancelled_and_planned_again_at_the_same_epoch_is_two_moves_of_which_the_second_is_done()
    {
        DescribeMovesResponse.Move[] former =
        [
            Told(0, MovePhase.Done, endedAgo: 9), Told(1, MovePhase.Cancelled, endedAgo: 8), Told(2, MovePhase.Done, endedAgo: 7),
            Told(1, MovePhase.Done, uploaded: 7, stop: 20, endedAgo: 1),
        ];

        Assert.Equal([(0, "done"), (1, "cancelled"), (2, "done"), (1, "done")], InWords(former));

        // While the next leader opens it, too.
        var moves = ClusterMoves.Join([.. former, Told(1, MovePhase.Opening)]);
        Assert.Equal([(0, "done"), (1, "cancelled"), (2, "done"), (1, "opening")], moves.Select(move => (move.Partition, move.PhaseInWords)));
        Assert.Equal((7L, TimeSpan.FromMilliseconds(20)), (moves[3].BytesUploaded, moves[3].Stop));
    }

    [Fact]
    public void What_another_broker_opens_is_not_the_one_that_was_cancelled_on_its_way_to_a_third()
    {
        Assert.Equal(
            [(0, "cancelled"), (0, "opening")], InWords(Told(0, MovePhase.Opening, to: 3), Told(0, MovePhase.Cancelled, endedAgo: 4, to: 2)));
        Assert.Equal([(0, "opening"), (0, "stopped")], InWords(Told(0, MovePhase.Stopped, to: 2), Told(0, MovePhase.Opening, to: 3)).Order());
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

    private static IEnumerable<(int Partition, string Phase)> InWords(params DescribeMovesResponse.Move[] told) =>
        ClusterMoves.Join(told).Select(move => (move.Partition, move.PhaseInWords));

    private static DescribeMovesResponse.Move Told(
        int partition, MovePhase phase, long uploaded = 0, long stop = -1, long age = 0, long endedAgo = -1, int epoch = 2, int to = 2) => new()
    {
        Topic = "t", TopicId = Id, Partition = partition, LeaderEpoch = epoch, From = 1, To = to, Phase = (sbyte)phase, BytesUploaded = uploaded, StopMs = stop,
        AgeMs = age, EndedAgoMs = endedAgo,
    };
}
