using Millrace.Controller.Nodes;
using Millrace.Controller.Streams;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Nodes;

/// <summary>A WAL whose streams are recovered by several nodes, each its share.</summary>
public sealed class WaitingWalsTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation _gone;
    private readonly NodeIncarnation[] _survivors;
    private readonly Guid _wal;

    public WaitingWalsTests()
    {
        // Alone when the topic is made, so that it leads everything.
        _gone = _script.Register(name: "gone", kind: WalKind.Object);
        _wal = _script.State.Cluster.Wals.Keys.Single();
        foreach (var partition in _script.CreateTopic("t", partitions: 6).Partitions)
        {
            _script.Open(_gone, partition.Stream, 0);
            _script.Upload(_gone, partition.Stream, 0, 0, 10);
        }

        _survivors = [_script.Register(name: "a", kind: WalKind.Object), _script.Register(name: "b", kind: WalKind.Object)];
        _script.Do(entry => NodeOperations.Fence(entry, _gone));
    }

    [Fact]
    public void A_share_says_which_ranges_are_a_nodes_to_bring_and_where_what_is_missing_begins()
    {
        var shares = _survivors.Select(Share).ToList();

        Assert.All(shares, share => Assert.Equal((_wal, 3), (share.WalId, share.Ranges.Count)));
        Assert.All(shares.SelectMany(share => share.Ranges), range => Assert.Equal((new StreamEpoch(0), 10), (range.Epoch, range.EndOffset)));
        Assert.Equal(6, shares.SelectMany(share => share.Ranges).DistinctBy(range => range.Stream).Count());
    }

    [Fact]
    public void A_completed_share_is_led_by_its_recoverer_in_the_same_entry_and_the_WAL_is_kept_for_the_others()
    {
        var (mine, others) = (Share(_survivors[0]), Share(_survivors[1]));

        var entries = _script.Entries;
        var first = Complete(_survivors[0], mine);

        Assert.Equal(entries + 1, _script.Entries);
        Assert.False(first.IsRetired);
        Assert.Equal(WalState.AwaitsRecovery, _script.State.Cluster.Wals[_wal].State);
        Assert.All(mine.Ranges, range => Assert.Equal((_survivors[0].Node, 1, null), Described(range.Stream)));
        Assert.All(others.Ranges, range => Assert.Equal((null, 0, _survivors[1].Node), Described(range.Stream)));
        Assert.All(mine.Ranges, range => Assert.Equal(10, _script.Open(_survivors[0], range.Stream, 1).EndOffset));

        Assert.True(Complete(_survivors[1], others).IsRetired);
        Assert.Equal(WalState.Retired, _script.State.Cluster.Wals[_wal].State);
        Assert.True(Complete(_survivors[1], others).IsRetired);
    }

    [Fact]
    public void What_is_another_nodes_to_bring_is_void_in_commits_completions_and_reports_of_damage()
    {
        var others = Share(_survivors[1]).Ranges[0];
        var id = _script.Prepare(_survivors[0]);

        var verdict = Assert.Single(_script.Commit(_survivors[0], _wal, ClusterScript.Range(id, others.Stream, 0, 10, 20)));
        _script.Do(entry => StreamOperations.ReportDamage(entry, _survivors[0], _wal, others.Stream, others.Epoch));
        Complete(_survivors[0], new WalShare(_wal, [others]));

        Assert.Equal(RangeOutcome.Void, verdict.Outcome);
        Assert.Equal((10, false), (_script.Stream(others.Stream).CommittedEnd, _script.Stream(others.Stream).IsDamaged));
        Assert.Equal((null, 0, _survivors[1].Node), Described(others.Stream));
    }

    [Fact]
    public void What_was_read_further_than_it_is_committed_stays_open_and_is_told()
    {
        var share = Share(_survivors[0]);
        var stream = share.Ranges[0].Stream;
        var read = share with { Ranges = [.. share.Ranges.Select(range => range with { EndOffset = range.Stream == stream ? 11 : 10 })] };

        var first = Complete(_survivors[0], read);

        Assert.Equal([stream], first.Uncommitted);
        Assert.False(first.IsRetired);
        Assert.Equal((null, 0, _survivors[0].Node), Described(stream));
        Assert.Equal(stream, Assert.Single(Share(_survivors[0]).Ranges).Stream);

        _script.Commit(_survivors[0], _wal, ClusterScript.Range(_script.Prepare(_survivors[0]), stream, 0, 10, 11));
        Assert.Empty(Complete(_survivors[0], read).Uncommitted);
        Assert.Equal((_survivors[0].Node, 1, null), Described(stream));
    }

    [Fact]
    public void What_came_to_a_share_after_the_WAL_was_read_for_it_is_not_complete_with_it()
    {
        var read = Share(_survivors[0]);
        _script.Do(entry => NodeOperations.Fence(entry, _survivors[1]));
        Assert.Equal(6, Share(_survivors[0]).Ranges.Count);

        Assert.False(Complete(_survivors[0], read).IsRetired);

        Assert.Equal(3, Share(_survivors[0]).Ranges.Count);
        Assert.DoesNotContain(Share(_survivors[0]).Ranges[0].Stream, read.Ranges.Select(range => range.Stream));
    }

    [Fact]
    public void A_late_completion_of_one_recovery_does_not_count_for_the_next_of_the_same_stream()
    {
        var read = Share(_survivors[0]);
        Complete(_survivors[0], read);
        var stream = read.Ranges[0].Stream;
        _script.Open(_survivors[0], stream, 1);
        _script.Do(entry => NodeOperations.Fence(entry, _survivors[0]));
        var again = Assert.Single(WaitingWals.SharesOf(_script.State, _survivors[1]), share => share.WalId != _wal);

        // Late, and by whoever: neither the WAL nor the epoch is the one that is open now.
        Complete(_survivors[1], read);
        Complete(_survivors[1], again with { Ranges = [.. again.Ranges.Select(range => range with { Epoch = new StreamEpoch(0) })] });

        Assert.Equal(new StreamEpoch(1), _script.Stream(stream).OpenRange?.Epoch);
        Assert.Equal(stream, Assert.Single(again.Ranges).Stream);
    }

    [Fact]
    public void What_is_brought_twice_by_an_answer_that_has_become_old_counts_once()
    {
        var stream = Share(_survivors[0]).Ranges[0].Stream;
        var (first, second) = (_script.Prepare(_survivors[0]), _script.Prepare(_survivors[0]));

        var brought = _script.Commit(_survivors[0], _wal, ClusterScript.Range(first, stream, 0, 10, 20));
        var repeated = _script.Commit(_survivors[0], _wal, ClusterScript.Range(first, stream, 0, 10, 20));
        var again = _script.Commit(_survivors[0], _wal, ClusterScript.Range(second, stream, 0, 10, 25));

        Assert.Equal([new(RangeOutcome.Accepted, 10), new(RangeOutcome.Accepted, 10), new(RangeOutcome.Cut, 20)], [.. brought, .. repeated, .. again]);
        Assert.Equal(25, _script.Stream(stream).CommittedEnd);
    }

    [Fact]
    public void Nothing_is_brought_of_a_WAL_whose_writer_is_not_fenced()
    {
        var wal = _script.State.Cluster.Wals.Values.Single(wal => wal.Node == _survivors[1].Node).Id;
        var id = _script.Prepare(_survivors[0]);
        var stream = Share(_survivors[0]).Ranges[0].Stream;

        Assert.Equal(
            StreamError.Incomplete,
            Assert.Throws<StreamException>(() => _script.Commit(_survivors[0], wal, ClusterScript.Range(id, stream, 0, 10, 20))).Error);
        Assert.Equal(StreamError.Incomplete, Assert.Throws<StreamException>(() => Complete(_survivors[0], new WalShare(wal, []))).Error);
    }

    [Fact]
    public void A_recoverer_that_is_fenced_completes_and_commits_nothing()
    {
        var share = Share(_survivors[0]);
        var id = _script.Prepare(_survivors[0]);
        _script.Do(entry => NodeOperations.Fence(entry, _survivors[0]));

        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => Complete(_survivors[0], share)).Error);
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => Share(_survivors[0])).Error);
        Assert.Equal(
            StreamError.Fenced,
            Assert.Throws<StreamException>(() => _script.Commit(_survivors[0], _wal, ClusterScript.Range(id, share.Ranges[0].Stream, 0, 10, 20))).Error);
    }

    [Fact]
    public void The_shares_of_several_nodes_that_died_at_once_are_told_by_WAL_the_oldest_first()
    {
        var third = _script.Register(name: "c", kind: WalKind.Object);
        foreach (var range in Share(_survivors[0]).Ranges.ToList())
        {
            Complete(_survivors[0], new WalShare(_wal, [range]));
            _script.Open(_survivors[0], range.Stream, 1);
        }

        _script.Do(entry => NodeOperations.Fence(entry, _survivors[0]));
        _script.Do(entry => NodeOperations.Fence(entry, _survivors[1]));

        var shares = WaitingWals.SharesOf(_script.State, third);
        Assert.Equal([3, 3], shares.Select(share => share.Ranges.Count));
        Assert.Equal(_wal, shares[0].WalId);
    }

    [Fact]
    public void A_topic_that_is_deleted_meanwhile_counts_as_complete_and_its_WAL_is_needed_no_more()
    {
        var share = Share(_survivors[0]);
        var id = _script.Prepare(_survivors[0]);
        _script.DeleteTopic("t");

        Assert.Equal(WalState.Retired, _script.State.Cluster.Wals[_wal].State);
        Assert.Equal(
            RangeOutcome.Void,
            Assert.Single(_script.Commit(_survivors[0], _wal, ClusterScript.Range(id, share.Ranges[0].Stream, 0, 10, 20))).Outcome);
        Assert.True(Complete(_survivors[0], share).IsRetired);
    }

    [Fact]
    public void What_a_damaged_stream_waits_for_is_told_and_a_loss_that_is_accepted_gives_it_to_whoever_it_was_planned_to()
    {
        var share = Share(_survivors[0]);
        var damaged = share.Ranges[1].Stream;
        _script.Do(entry => StreamOperations.ReportDamage(entry, _survivors[0], _wal, damaged, new StreamEpoch(0)));

        var completion = Complete(_survivors[0], share);
        Complete(_survivors[1], Share(_survivors[1]));

        Assert.Equal([damaged], completion.Damaged);
        Assert.False(completion.IsRetired);
        var waiting = Assert.Single(Assert.Single(WaitingWals.Waiting(_script.State)).Streams);
        Assert.Equal((damaged, _survivors[0].Node, true), (waiting.Stream, waiting.PlannedTo, waiting.IsDamaged));

        _script.Do(entry => WaitingWals.AcceptLoss(entry, _wal, new HashSet<StreamId> { damaged }));
        Assert.Equal((_survivors[0].Node, 1, null), Described(damaged));
        Assert.DoesNotContain(_wal, _script.State.Cluster.Wals.Keys);
    }

    [Fact]
    public void An_incarnation_has_one_WAL() => Assert.Throws<ArgumentException>(() => _script.RegisterWal(_survivors[0]));

    private WalShare Share(NodeIncarnation node) => WaitingWals.SharesOf(_script.State, node).Single(share => share.WalId == _wal);

    private ShareCompletion Complete(NodeIncarnation node, WalShare share) => _script.Do(entry => WaitingWals.Complete(entry, node, share));

    private (NodeId? Leader, int Epoch, NodeId? PlannedTo) Described(StreamId stream)
    {
        var partition = _script.State.Cluster.Topics["t"].Partitions.Single(partition => partition.Stream == stream);
        return (partition.Leader, partition.LeaderEpoch, partition.PlannedTo);
    }
}
