using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.Streams;
using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Objects;

public sealed class UploadJudgeTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation _node;
    private readonly StreamId _stream;

    public UploadJudgeTests()
    {
        _node = _script.Register();
        _stream = _script.OpenStream(_node);
    }

    [Fact]
    public void Ranges_that_follow_one_another_are_accepted_over_several_objects_of_any_order()
    {
        var first = _script.Prepare(_node, 2);
        var second = new ObjectId(first.Value + 1);

        var verdicts = _script.Commit(
            _node,
            null,
            ClusterScript.Range(second, _stream, 0, 0, 10),
            ClusterScript.Range(first, _stream, 0, 10, 15),
            ClusterScript.Range(second, _stream, 0, 15, 30));

        Assert.All(verdicts, verdict => Assert.Equal(RangeOutcome.Accepted, verdict.Outcome));
        Assert.Equal(30, _script.Stream(_stream).CommittedEnd);
        Assert.Equal([second, first, second], _script.Stream(_stream).Ranges.Select(range => range.Object));
    }

    [Fact]
    public void A_range_is_cut_at_the_committed_end_and_keeps_what_it_was_written_as()
    {
        _script.Upload(_node, _stream, 0, 0, 10);
        var id = _script.Prepare(_node);

        var verdicts = _script.Commit(_node, null, ClusterScript.Range(id, _stream, 0, 5, 20));

        Assert.Equal([new RangeVerdict(RangeOutcome.Cut, 10)], verdicts);
        var range = _script.Stream(_stream).Ranges.Last();
        Assert.Equal((10, 20, 5, 15), (range.StartOffset, range.EndOffset, range.WrittenStartOffset, range.Bytes));
    }

    [Fact]
    public void A_range_that_was_committed_before_is_void_and_its_object_goes()
    {
        _script.Upload(_node, _stream, 0, 0, 10);
        var id = _script.Prepare(_node);

        var verdicts = _script.Commit(_node, null, ClusterScript.Range(id, _stream, 0, 2, 10));

        Assert.Equal(RangeOutcome.Void, Assert.Single(verdicts).Outcome);
        Assert.Contains(id, _script.State.Streams.Objects.Unreferenced);
    }

    [Fact]
    public void A_range_behind_a_gap_does_not_count_and_does_not_block_other_streams()
    {
        var other = _script.OpenStream(_node);
        var id = _script.Prepare(_node);

        var verdicts = _script.Commit(_node, null, ClusterScript.Range(id, _stream, 0, 5, 10), ClusterScript.Range(id, other, 0, 0, 3));

        Assert.Equal([RangeOutcome.Gap, RangeOutcome.Accepted], verdicts.Select(verdict => verdict.Outcome));
        Assert.Equal(0, _script.Stream(_stream).CommittedEnd);
        Assert.Equal(3, _script.Stream(other).CommittedEnd);
    }

    [Fact]
    public void A_deleted_stream_is_void_and_does_not_block_other_streams()
    {
        var topic = _script.CreateTopic("t");
        var gone = topic.Partitions[0].Stream;
        _script.Open(_node, gone, 0);
        _script.DeleteTopic("t");
        var id = _script.Prepare(_node);

        var verdicts = _script.Commit(_node, null, ClusterScript.Range(id, gone, 0, 0, 10), ClusterScript.Range(id, _stream, 0, 0, 3));

        Assert.Equal([RangeOutcome.Void, RangeOutcome.Accepted], verdicts.Select(verdict => verdict.Outcome));
    }

    [Fact]
    public void A_repeated_commit_gets_the_verdicts_of_the_first()
    {
        _script.Upload(_node, _stream, 0, 0, 10);
        var deep = _script.OpenStream(_node);
        var id = _script.Prepare(_node);
        ObjectRange[] ranges =
        [
            ClusterScript.Range(id, _stream, 0, 5, 20), ClusterScript.Range(id, deep, 0, 0, 7), ClusterScript.Range(id, deep, 0, 7, 7, checkpoint: true),
        ];
        var first = _script.Commit(_node, null, ranges);
        var state = ClusterScript.Bytes(_script.State);

        var second = _script.Commit(_node, null, ranges);

        Assert.Equal(first, second);
        Assert.Equal(state, ClusterScript.Bytes(_script.State));
    }

    [Fact]
    public void An_object_whose_prepare_has_ended_commits_nothing()
    {
        var id = _script.Prepare(_node);
        _script.Do(entry => ObjectOperations.BeginDeletion(entry, [id], 10));

        var refusal = Assert.Throws<StreamException>(() => _script.Commit(_node, null, ClusterScript.Range(id, _stream, 0, 0, 10)));

        Assert.Equal(StreamError.PrepareExpired, refusal.Error);
        Assert.Equal(0, _script.Stream(_stream).CommittedEnd);
    }

    [Fact]
    public void A_fenced_incarnation_commits_nothing_and_prepares_nothing()
    {
        var id = _script.Prepare(_node);
        _script.Do(entry => NodeOperations.Fence(entry, _node));

        Assert.Equal(
            StreamError.Fenced,
            Assert.Throws<StreamException>(() => _script.Commit(_node, null, ClusterScript.Range(id, _stream, 0, 0, 10))).Error);
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => _script.Prepare(_node)).Error);
    }

    [Fact]
    public void A_living_owner_with_more_than_was_closed_hears_of_a_gap()
    {
        _script.Upload(_node, _stream, 0, 0, 10);
        _script.Do(entry => StreamOperations.Close(entry, _node, _stream, new StreamEpoch(0), 10));
        var id = _script.Prepare(_node);

        var verdicts = _script.Commit(_node, null, ClusterScript.Range(id, _stream, 0, 10, 12), ClusterScript.Range(id, _stream, 0, 0, 10));

        Assert.Equal([RangeOutcome.Gap, RangeOutcome.Void], verdicts.Select(verdict => verdict.Outcome));
    }

    [Fact]
    public void A_recovery_commits_for_the_fenced_incarnation_and_only_where_its_range_is_open()
    {
        var closed = _script.OpenStream(_node);
        _script.Upload(_node, _stream, 0, 0, 10);
        _script.Do(entry => StreamOperations.Close(entry, _node, closed, new StreamEpoch(0), 0));
        var wal = _script.State.Cluster.Wals.Keys.Single();
        var survivor = _script.Register();
        var id = _script.Prepare(survivor);

        var verdicts = _script.Commit(
            survivor, wal, ClusterScript.Range(id, _stream, 0, 8, 25), ClusterScript.Range(id, closed, 0, 0, 4));

        Assert.Equal([new RangeVerdict(RangeOutcome.Cut, 10), new RangeVerdict(RangeOutcome.Void, 0)], verdicts);
        Assert.Equal(25, _script.Stream(_stream).CommittedEnd);
    }

    [Fact]
    public void What_comes_from_a_WAL_that_is_not_known_counts_for_nobody_not_even_for_the_first_incarnation()
    {
        Assert.Equal(default, _node);
        var id = _script.Prepare(_node);
        var verdict = Assert.Single(_script.Commit(_node, _script.Random.NewId(), ClusterScript.Range(id, _stream, 0, 0, 1)));
        Assert.Equal(RangeOutcome.Void, verdict.Outcome);
    }

    [Fact]
    public void A_recovery_of_a_WAL_in_use_is_refused()
    {
        var wal = _script.State.Cluster.Wals.Keys.Single();
        var id = _script.Prepare(_node);

        var refusal = Assert.Throws<StreamException>(() => _script.Commit(_node, wal, ClusterScript.Range(id, _stream, 0, 0, 1)));

        Assert.Equal(StreamError.Incomplete, refusal.Error);
    }

    [Fact]
    public void An_object_in_a_store_that_this_program_does_not_know_stops_it()
    {
        var record = new ObjectsPreparedRecord { StoreId = 1, FirstObjectId = 900, Count = 1 };
        Assert.Throws<ProtocolException>(() => _script.State.Apply(record));
    }

    [Fact]
    public void The_newest_checkpoint_keeps_its_object_when_its_records_are_trimmed()
    {
        var old = _script.Upload(_node, _stream, 0, 0, 10, checkpoint: true);
        var newest = _script.Upload(_node, _stream, 0, 10, 20, checkpoint: true);

        _script.Do(entry => StreamOperations.Trim(entry, _node, _stream, new StreamEpoch(0), 20));

        Assert.Equal([old], _script.State.Streams.Objects.Unreferenced);
        Assert.Empty(_script.Stream(_stream).Ranges);
        Assert.Equal(newest, _script.Stream(_stream).Checkpoint?.Object);
    }

    [Fact]
    public void A_range_without_records_may_carry_a_checkpoint_and_replaces_the_one_before()
    {
        var data = _script.Upload(_node, _stream, 0, 0, 10, checkpoint: true);
        var empty = _script.Upload(_node, _stream, 0, 10, 10, checkpoint: true);
        _script.Do(entry => StreamOperations.Trim(entry, _node, _stream, new StreamEpoch(0), 10));

        Assert.Equal(empty, _script.Stream(_stream).Checkpoint?.Object);
        Assert.Equal([data], _script.State.Streams.Objects.Unreferenced);
        Assert.Equal(10, _script.Stream(_stream).CommittedEnd);
    }
}
