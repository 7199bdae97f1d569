using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Broker.Errors;
using Millrace.Broker.Following;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Metadata;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Following;

/// <summary>What a followed partition shows of what its leaders tell, where nobody can be asked for more.</summary>
public sealed class FollowedWordTests : IDisposable
{
    private const long NoLimit = 1 << 30;

    private readonly ManualTime _time = new();
    private readonly BufferPool _buffers = new(0);
    private readonly RackMetrics _metrics = new();
    private readonly FollowedPartition _followed;

    public FollowedWordTests()
    {
        var runtime = new NodeRuntime(_time, TaskScheduler.Default, new SystemRandom(), null!, NullLoggerFactory.Instance);
        _followed = new FollowedPartition(
            runtime, new TopicIdPartition(Guid.NewGuid(), "t", 0), new FollowedLeader(null, 5), new NothingCommitted(), new FollowedTail(_buffers),
            new LeaderLinks(runtime, new NoPeers(), new NodeId(1)), _metrics);
        _followed.Tail.Reset(10);
    }

    public void Dispose()
    {
        _followed.Tail.Dispose();
        _metrics.Dispose();
        Assert.Equal(0, _buffers.RentedBytes);
        _buffers.Dispose();
    }

    [Fact]
    public async Task Nobody_is_told_anything_before_the_leader_was_heard()
    {
        Assert.Equal((PartitionError.NotLeader, -1, ""), await ReadAsync(10));

        Take(epoch: 5, offset: 10, highWatermark: 12, "a", "b");
        Assert.Equal((PartitionError.None, 12, "10:a 11:b"), await ReadAsync(10));
        Assert.Equal((PartitionError.None, 12, ""), await ReadAsync(12));

        // Beyond that only the leader knows, who cannot be asked.
        Assert.Equal(PartitionError.NotLeader, (await ReadAsync(13)).Error);
    }

    [Fact]
    public async Task What_a_former_leader_told_is_not_shown_any_more()
    {
        Take(epoch: 5, offset: 10, highWatermark: 12, "a", "b");

        // An operator has accepted the loss of both, and others stand in their place; the new leader was asked for what comes behind them.
        Take(epoch: 6, offset: 12, highWatermark: 13, "c");
        Assert.Equal(PartitionError.NotLeader, (await ReadAsync(10)).Error);
        Assert.Equal((PartitionError.None, 13, "12:c"), await ReadAsync(12));

        // What comes late of the former one changes nothing.
        Take(epoch: 5, offset: 13, highWatermark: 14, "d");
        Assert.Equal((PartitionError.None, 13, ""), await ReadAsync(13));
        _followed.Take(epoch: 5, 13, At(13, "d"), NoLimit);
        Assert.Equal((PartitionError.None, 13, ""), await ReadAsync(13));
        _followed.Take(epoch: 6, 13, At(13, "e"), NoLimit);
        Assert.Equal((PartitionError.None, 14, "13:e"), await ReadAsync(13));
    }

    [Fact]
    public async Task What_only_a_former_leader_told_is_not_shown_before_the_next_one_was_heard()
    {
        Take(epoch: 5, offset: 10, highWatermark: 12, "a", "b");
        _followed.LedBy(new FollowedLeader(null, 6));
        Assert.Equal((PartitionError.None, 12, ""), await ReadAsync(10));
        Assert.Equal((PartitionError.None, 12, ""), await ReadAsync(12));

        // They look again when it is.
        var mark = _followed.Progress.Mark();
        Take(epoch: 6, offset: 10, highWatermark: 12, "c", "d");
        Assert.Equal(mark.Endings + 1, _followed.Progress.Mark().Endings);
        Assert.Equal((PartitionError.None, 12, "10:c 11:d"), await ReadAsync(10));
        Assert.Equal((PartitionError.None, 12, ""), await ReadAsync(12));
    }

    [Fact]
    public async Task What_lies_in_no_object_is_not_told_for_long_by_a_broker_that_hears_nobody()
    {
        Take(epoch: 5, offset: 10, highWatermark: 12, "a", "b");
        _time.Advance(FollowedPartition.LongestSilence);
        Assert.Equal((PartitionError.None, 12, "10:a 11:b"), await ReadAsync(10));

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(PartitionError.NotLeader, (await ReadAsync(10)).Error);
        Assert.Equal(PartitionError.NotLeader, (await ReadAsync(12)).Error);

        Take(epoch: 5, offset: 12, highWatermark: 12);
        Assert.Equal((PartitionError.None, 12, "10:a 11:b"), await ReadAsync(10));
    }

    [Fact]
    public async Task A_high_watermark_of_the_same_leader_never_falls()
    {
        Take(epoch: 5, offset: 10, highWatermark: 12, "a", "b");
        Take(epoch: 5, offset: 12, highWatermark: 11);

        Assert.Equal((PartitionError.None, 12, ""), await ReadAsync(12));
    }

    [Fact]
    public async Task Without_room_what_is_readable_ends_where_objects_do()
    {
        _followed.TakeWord(Word(epoch: 5, highWatermark: 20, committed: 15), onlyObjects: true);
        Assert.Equal((PartitionError.None, 20, ""), await ReadAsync(15));
        Assert.Equal(PartitionError.NotLeader, (await ReadAsync(14)).Error);

        Take(epoch: 5, offset: 15, highWatermark: 20, "a");
        _followed.TakeWord(Word(epoch: 5, highWatermark: 20, committed: 15), onlyObjects: false);
        Assert.Equal((PartitionError.None, 20, "15:a"), await ReadAsync(15));
        _followed.LetGo();
        Assert.Equal(PartitionError.NotLeader, (await ReadAsync(15)).Error);
        Assert.Equal((PartitionError.None, 20, ""), await ReadAsync(16));
    }

    private void Take(int epoch, long offset, long highWatermark, params string[] values)
    {
        var answer = Word(epoch, highWatermark, committed: 0);
        (answer.Offset, answer.Records) = (offset, values.Length > 0 ? At(offset, values) : default);
        _followed.Take(answer, NoLimit);
    }

    private static FollowPartitionResponse Word(int epoch, long highWatermark, long committed) => new()
    {
        LeaderEpoch = epoch, HighWatermark = highWatermark, LogStartOffset = 0, CommittedOffset = committed,
    };

    private async Task<(PartitionError Error, long HighWatermark, string Records)> ReadAsync(long offset)
    {
        var read = await _followed.ReadAsync(new PartitionFetch(offset, 1 << 20, AtLeastOne: true, -1, -1), Xunit.TestContext.Current.CancellationToken);
        using var records = read.Records;
        var told = records?.Records.SelectMany(static record => Batches.Read(new ReadOnlySequence<byte>(record.Payload))) ?? [];
        return (read.Error, read.HighWatermark, string.Join(' ', told));
    }

    private static ReadOnlySequence<byte> At(long offset, params string[] values)
    {
        var batch = Batches.Of(values);
        RecordBatchPatch.SetPosition(batch, offset, partitionLeaderEpoch: 0);
        return new ReadOnlySequence<byte>(batch);
    }

    private sealed class NothingCommitted : ICommittedStream
    {
        public ValueTask<StreamRead?> ReadAsync(long offset, int maxBytes, CancellationToken token) => default;
    }
}
