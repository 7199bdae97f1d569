using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.Streams;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Objects;

/// <summary>What becomes of an object that was made of others, whatever has happened to its streams meanwhile.</summary>
public sealed class CompactionJudgeTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation _node;
    private readonly StreamId _stream;
    private readonly List<ObjectId> _sources = [];

    public CompactionJudgeTests()
    {
        _node = _script.Register();
        _stream = _script.OpenStream(_node);
        for (var i = 0; i < 3; i++)
        {
            _sources.Add(_script.Upload(_node, _stream, 0, i * 10, (i + 1) * 10, checkpoint: i == 1));
        }
    }

    [Fact]
    public void A_range_takes_the_place_of_those_that_it_was_made_of_and_they_are_needed_no_more()
    {
        var id = _script.Prepare(_node);

        Assert.Equal(2, Commit(id, Range(id, 0, 20, checkpoint: true)));

        Assert.Equal([(id, 0, 20), (_sources[2], 20, 30)], Ranges());
        Assert.Equal(id, _script.Stream(_stream).Checkpoint?.Object);
        Assert.Equal(_sources[..2], [.. _script.State.Streams.Objects.Unreferenced.Order()]);
        Assert.Equal(30, _script.Stream(_stream).CommittedEnd);
    }

    [Fact]
    public void It_makes_no_difference_whether_the_stream_is_open_or_closed_or_another_s()
    {
        _script.Do(entry => StreamOperations.Close(entry, _node, _stream, new StreamEpoch(0), 30));
        var other = _script.Register(name: "other");
        _script.Open(other, _stream, 1);
        _script.Upload(other, _stream, 1, 30, 40);
        var id = _script.Prepare(_node);

        Assert.Equal(3, Commit(id, Range(id, 0, 30)));

        Assert.Equal([0, 30], Ranges().Select(range => range.Start));
    }

    [Fact]
    public void A_range_that_would_join_two_epochs_is_void()
    {
        _script.Do(entry => StreamOperations.Close(entry, _node, _stream, new StreamEpoch(0), 30));
        _script.Open(_node, _stream, 1);
        _sources.Add(_script.Upload(_node, _stream, 1, 30, 40));
        var id = _script.Prepare(_node);

        Assert.Equal(0, Commit(id, Range(id, 0, 40)));

        Assert.Equal(4, Ranges().Count);
    }

    [Fact]
    public void What_was_trimmed_meanwhile_is_left_out_and_verification_still_finds_what_was_written()
    {
        var id = _script.Prepare(_node);
        _script.Do(entry => StreamOperations.Trim(entry, _node, _stream, new StreamEpoch(0), 15));

        Assert.Equal(2, Commit(id, Range(id, 0, 30)));

        var range = Assert.Single(_script.Stream(_stream).Ranges);
        Assert.Equal((10, 30, 0), (range.StartOffset, range.EndOffset, range.WrittenStartOffset));
    }

    [Fact]
    public void A_checkpoint_goes_along_though_all_records_before_it_were_trimmed()
    {
        var id = _script.Prepare(_node);
        _script.Do(entry => StreamOperations.Trim(entry, _node, _stream, new StreamEpoch(0), 30));

        Assert.Equal(0, Commit(id, Range(id, 0, 20, checkpoint: true)));

        Assert.Empty(Ranges());
        Assert.Equal((id, 20), (_script.Stream(_stream).Checkpoint!.Object, _script.Stream(_stream).Checkpoint!.Range.EndOffset));
        Assert.Equal(_sources, [.. _script.State.Streams.Objects.Unreferenced.Order()]);
    }

    [Fact]
    public void A_checkpoint_that_is_the_newest_no_more_does_not_take_the_place_of_a_newer_one_at_the_same_offset()
    {
        var id = _script.Prepare(_node);
        var newest = _script.Upload(_node, _stream, 0, 30, 30, checkpoint: true);

        Commit(id, Range(id, 0, 30, checkpoint: true));

        Assert.Equal(newest, _script.Stream(_stream).Checkpoint?.Object);
        Assert.Equal([(id, 0, 30)], Ranges());
    }

    [Fact]
    public void What_lies_elsewhere_by_now_is_void_and_the_object_goes()
    {
        var (first, second) = (_script.Prepare(_node), _script.Prepare(_node));
        Commit(first, Range(first, 0, 30));

        Assert.Equal(0, Commit(second, Range(second, 0, 20), Range(second, 20, 30)));

        Assert.Equal([(first, 0, 30)], Ranges());
        Assert.Contains(second, _script.State.Streams.Objects.Unreferenced);
    }

    [Fact]
    public void A_deleted_stream_is_void_and_does_not_block_others()
    {
        var gone = _script.CreateTopic("t").Partitions[0].Stream;
        _script.Open(_node, gone, 0);
        _sources.Add(_script.Upload(_node, gone, 0, 0, 5));
        var id = _script.Prepare(_node);
        _script.DeleteTopic("t");

        Assert.Equal(3, Commit(id, Range(id, 0, 30), Range(id, 0, 5) with { Stream = gone }));

        Assert.Equal([(id, 0, 30)], Ranges());
    }

    [Fact]
    public void A_repeated_commit_changes_nothing()
    {
        var id = _script.Prepare(_node);
        Commit(id, Range(id, 0, 30));
        var state = ClusterScript.Bytes(_script.State);

        Assert.Equal(0, Commit(id, Range(id, 0, 30)));

        Assert.Equal(state, ClusterScript.Bytes(_script.State));
    }

    [Fact]
    public void Digests_that_do_not_add_up_are_refused()
    {
        var id = _script.Prepare(_node);

        Assert.Throws<ArgumentException>(() => Commit(id, Range(id, 0, 30) with { ObjectDigest = default }));
        Assert.Throws<ArgumentException>(
            () => Commit(id, [.. Shares().Select(share => share with { Rest = share.Rest + new RangeDigest(1, 0) })], Range(id, 0, 30)));
        Assert.Equal(3, Ranges().Count);
    }

    [Fact]
    public void Ranges_that_overlap_are_refused()
    {
        var id = _script.Prepare(_node);

        Assert.Throws<ArgumentException>(() => Commit(id, Range(id, 0, 20), Range(id, 10, 30)));
    }

    [Fact]
    public void A_fenced_incarnation_and_one_whose_object_expired_compact_nothing()
    {
        var id = _script.Prepare(_node);
        _script.Do(entry => ObjectOperations.BeginDeletion(entry, [id], 10));
        Assert.Equal(StreamError.PrepareExpired, Assert.Throws<StreamException>(() => Commit(id, Range(id, 0, 30))).Error);

        var other = _script.Prepare(_node);
        _script.Do(entry => NodeOperations.Fence(entry, _node));
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => Commit(other, Range(other, 0, 30))).Error);
    }

    private int Commit(ObjectId id, params ObjectRange[] ranges) => Commit(id, Shares(), ranges);

    private int Commit(ObjectId id, SourceShare[] shares, params ObjectRange[] ranges)
    {
        Assert.All(ranges, range => Assert.Equal(id, range.Object));
        return _script.Do(entry => CompactionJudge.Commit(entry, new CompactionCommit(_node, shares, ranges), CompactionRules.Default));
    }

    private SourceShare[] Shares() =>
        [.. _sources.Select(id => new SourceShare(id, _script.State.Streams.Objects.All[id].Digest - new RangeDigest(5, 5), new RangeDigest(5, 5)))];

    private ObjectRange Range(ObjectId id, long start, long end, bool checkpoint = false) =>
        ClusterScript.Range(id, _stream, 0, start, end, checkpoint) with
        {
            ObjectDigest = Shares().Aggregate(default(RangeDigest), (sum, share) => sum + share.Taken),
        };

    private List<(ObjectId Object, long Start, long End)> Ranges() =>
        [.. _script.Stream(_stream).Ranges.Select(range => (range.Object, range.StartOffset, range.EndOffset))];
}
