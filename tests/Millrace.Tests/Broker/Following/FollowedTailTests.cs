using System.Buffers;
using Millrace.Broker.Following;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Following;

public sealed class FollowedTailTests : IDisposable
{
    private const long NoLimit = 1 << 30;

    private readonly BufferPool _buffers = new(0);
    private readonly FollowedTail _tail;

    public FollowedTailTests() => _tail = new FollowedTail(_buffers);

    [Fact]
    public void What_is_told_is_read_from_any_offset_in_it_up_to_so_many_bytes_and_one_batch_at_least()
    {
        _tail.Reset(10);
        var bytes = _tail.Append(Told(At(10, "a", "b"), At(12, "c")), NoLimit) + _tail.Append(Told(At(13, "d")), NoLimit);

        Assert.Equal((10, 14), (_tail.Start, _tail.End));
        Assert.Equal(["10:a", "11:b", "12:c", "13:d"], Read(10, NoLimit));
        Assert.Equal(["10:a", "11:b", "12:c", "13:d"], Read(11, bytes));
        Assert.Equal(["10:a", "11:b", "12:c"], Read(11, bytes - 1));
        Assert.Equal(["10:a", "11:b"], Read(11, 1));
        Assert.Equal(["13:d"], Read(13, 1));
        Assert.Null(_tail.TryRead(9, 1));
        Assert.Null(_tail.TryRead(14, 1));
    }

    [Fact]
    public void The_first_batch_may_begin_before_the_offset_that_was_asked_for()
    {
        _tail.Reset(11);
        _tail.Append(Told(At(10, "a", "b")), NoLimit);

        Assert.Equal((10, 12), (_tail.Start, _tail.End));
    }

    [Fact]
    public void What_does_not_follow_is_refused_as_a_whole()
    {
        _tail.Reset(10);
        _tail.Append(Told(At(10, "a")), NoLimit);

        Assert.Throws<ProtocolException>(() => _tail.Append(Told(At(12, "c")), NoLimit));
        Assert.Throws<ProtocolException>(() => _tail.Append(Told(At(10, "a")), NoLimit));
        Assert.Throws<ProtocolException>(() => _tail.Append(Told(At(11, "b"), At(13, "d")), NoLimit));
        Assert.Throws<ProtocolException>(() => _tail.Append(new ReadOnlySequence<byte>(At(11, "b")[..^1]), NoLimit));
        Assert.Throws<ProtocolException>(() => _tail.Append(new ReadOnlySequence<byte>(new byte[100]), NoLimit));
        Assert.Equal((10, 11), (_tail.Start, _tail.End));
        Assert.Equal(["10:a"], Read(10, NoLimit));
    }

    [Fact]
    public void The_oldest_go_where_memory_is_short_and_what_came_last_stays()
    {
        _tail.Reset(0);
        for (var offset = 0; offset < 100; offset++)
        {
            _tail.Append(Told(At(offset, new string('x', 3_000))), limit: 20_000);
            Assert.InRange(_tail.HeldBytes, 0, 20_000);
        }

        Assert.InRange(_tail.Start, 94, 98);
        Assert.Equal(100, _tail.End);
        _tail.Append(Told(At(100, new string('x', 50_000))), limit: 20_000);
        Assert.Equal((100, 101), (_tail.Start, _tail.End));
    }

    [Fact]
    public void What_somebody_reads_stays_until_it_is_let_go_and_all_memory_goes_back()
    {
        _tail.Reset(0);
        _tail.Append(Told(At(0, "a")), NoLimit);
        var read = _tail.TryRead(0, 1)!;
        _tail.Reset(5);

        Assert.Equal((5, 5), (_tail.Start, _tail.End));
        Assert.Equal(0, _tail.HeldBytes);
        Assert.Equal(["0:a"], Batches.Read(new ReadOnlySequence<byte>(read.Records[0].Payload)));
        Assert.True(_buffers.RentedBytes > 0);
        read.Dispose();
        Assert.Equal(0, _buffers.RentedBytes);
    }

    [Fact]
    public void It_knows_how_much_lies_behind_an_offset()
    {
        _tail.Reset(10);
        var first = _tail.Append(Told(At(10, "a", "b")), NoLimit);
        var second = _tail.Append(Told(At(12, "c")), NoLimit);

        Assert.Equal(first + second, _tail.BytesFrom(-1));
        Assert.Equal(first + second, _tail.BytesFrom(11));
        Assert.Equal(second, _tail.BytesFrom(12));
        Assert.Equal(0, _tail.BytesFrom(13));
    }

    public void Dispose()
    {
        _tail.Dispose();
        _buffers.Dispose();
    }

    private List<string>? Read(long offset, long maxBytes)
    {
        using var read = _tail.TryRead(offset, (int)maxBytes);
        return read is null ? null : [.. read.Records.SelectMany(static record => Batches.Read(new ReadOnlySequence<byte>(record.Payload)))];
    }

    private static ReadOnlySequence<byte> Told(params byte[][] batches) => new([.. batches.SelectMany(static batch => batch)]);

    private static byte[] At(long offset, params string[] values)
    {
        var batch = Batches.Of(values);
        RecordBatchPatch.SetPosition(batch, offset, partitionLeaderEpoch: 0);
        return batch;
    }
}
