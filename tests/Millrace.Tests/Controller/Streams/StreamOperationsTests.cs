using Millrace.Controller.Streams;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Streams;

public sealed class StreamOperationsTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation _node;

    public StreamOperationsTests() => _node = _script.Register();

    [Fact]
    public void Opening_is_repeatable_at_the_same_epoch_and_fenced_at_a_lower_one()
    {
        var stream = _script.OpenStream(_node, epoch: 3);

        Assert.Equal([new EpochStart(new StreamEpoch(3), 0)], _script.Open(_node, stream, 3).Epochs);
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => _script.Open(_node, stream, 2)).Error);
        Assert.Equal(StreamError.Incomplete, Assert.Throws<StreamException>(() => _script.Open(_node, stream, 4)).Error);
    }

    [Fact]
    public void A_partition_opens_only_for_its_leader_at_the_assigned_epoch()
    {
        var partition = _script.CreateTopic("t").Partitions[0];

        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => _script.Open(_node, partition.Stream, 1)).Error);
        Assert.Equal(0, _script.Open(_node, partition.Stream, partition.Epoch.Value).StartOffset);
    }

    [Fact]
    public void An_unknown_stream_is_unknown()
    {
        Assert.Equal(StreamError.Unknown, Assert.Throws<StreamException>(() => _script.Open(_node, new StreamId(99), 0)).Error);
        Assert.Equal(StreamError.Unknown, Assert.Throws<StreamException>(() => StreamOperations.GetRanges(_script.State, new StreamId(99), 0, 1)).Error);
    }

    [Fact]
    public void A_range_closes_at_its_committed_end_only_and_repeatably()
    {
        var stream = _script.OpenStream(_node);
        _script.Upload(_node, stream, 0, 0, 10);

        Assert.Equal(StreamError.Incomplete, Assert.Throws<StreamException>(() => Close(9)).Error);
        Assert.Equal(StreamError.Incomplete, Assert.Throws<StreamException>(() => Close(11)).Error);
        Close(10);
        Close(10);
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => Close(11)).Error);
        Assert.Equal(10, _script.Open(_node, stream, 1).EndOffset);

        void Close(long end) => _script.Do(entry => StreamOperations.Close(entry, _node, stream, new StreamEpoch(0), end));
    }

    [Fact]
    public void Closing_a_stream_that_was_deleted_is_no_error_and_one_that_never_was_is_unknown()
    {
        var partition = _script.CreateTopic("t").Partitions[0];
        _script.Open(_node, partition.Stream, 0);
        _script.DeleteTopic("t");

        _script.Do(entry => StreamOperations.Close(entry, _node, partition.Stream, new StreamEpoch(0), 0));
        var refusal = Assert.Throws<StreamException>(
            () => _script.Do(entry => StreamOperations.Close(entry, _node, new StreamId(99), new StreamEpoch(0), 0)));

        Assert.Equal(StreamError.Unknown, refusal.Error);
        Assert.Empty(_script.State.Streams.OpenStreamsOf(_node));
    }

    [Fact]
    public void Epochs_are_kept_as_long_as_they_have_records()
    {
        var stream = _script.OpenStream(_node);
        _script.Upload(_node, stream, 0, 0, 10);
        Reopen(10, 1);
        Reopen(10, 2);
        _script.Upload(_node, stream, 2, 10, 20);
        Reopen(20, 3);
        Assert.Equal([(0, 0), (2, 10), (3, 20)], Epochs());

        _script.Do(entry => StreamOperations.Trim(entry, _node, stream, new StreamEpoch(3), 10));
        Assert.Equal([(2, 10), (3, 20)], Epochs());

        void Reopen(long end, long epoch)
        {
            _script.Do(entry => StreamOperations.Close(entry, _node, stream, new StreamEpoch(epoch - 1), end));
            _script.Open(_node, stream, epoch);
        }

        IEnumerable<(long Epoch, long Start)> Epochs() =>
            _script.Stream(stream).EpochStarts().Select(start => (start.Epoch.Value, start.StartOffset));
    }

    [Fact]
    public void Ranges_are_found_from_any_offset_up_to_a_limit()
    {
        var stream = _script.OpenStream(_node);
        for (var i = 0; i < 10; i++)
        {
            _script.Upload(_node, stream, 0, i * 10, (i * 10) + 10);
        }

        _script.Do(entry => StreamOperations.Trim(entry, _node, stream, new StreamEpoch(0), 25));

        Assert.Equal([20L, 30, 40], Starts(offset: 0, limit: 3));
        Assert.Equal([50L], Starts(offset: 59, limit: 1));
        Assert.Equal([60L, 70, 80, 90], Starts(offset: 60, limit: 100));
        Assert.Empty(Starts(offset: 100, limit: 1));

        IEnumerable<long> Starts(long offset, int limit) =>
            StreamOperations.GetRanges(_script.State, stream, offset, limit).Select(range => range.StartOffset);
    }

    [Fact]
    public void A_trim_beyond_what_is_committed_lets_the_commits_catch_up()
    {
        var stream = _script.OpenStream(_node);
        _script.Do(entry => StreamOperations.Trim(entry, _node, stream, new StreamEpoch(0), 15));

        var below = _script.Upload(_node, stream, 0, 0, 10);
        _script.Upload(_node, stream, 0, 10, 20);

        Assert.Equal([10L], _script.Stream(stream).Ranges.Select(range => range.StartOffset));
        Assert.Contains(below, _script.State.Streams.Objects.Unreferenced);
    }
}
