using CsCheck;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Producers;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Producers;

public sealed class ProducerStateTests
{
    private const long Pid = 7;
    private readonly ProducerState _state = new();
    private long _nextOffset;

    [Theory]
    [InlineData(0)]
    [InlineData(41)]
    public void A_producer_that_is_not_known_may_begin_anywhere(int firstSequence) =>
        Assert.Equal(ProducerVerdict.Unknown, _state.Check(Pid, 3, firstSequence, 0, out _));

    [Fact]
    public void The_next_sequence_is_accepted_and_a_gap_is_not()
    {
        Append(epoch: 0, first: 0, count: 3);

        Assert.Equal(ProducerVerdict.Next, Check(epoch: 0, first: 3, count: 1));
        Assert.Equal(ProducerVerdict.OutOfOrder, Check(epoch: 0, first: 4, count: 1));
    }

    [Fact]
    public void A_retry_is_answered_with_the_offset_and_timestamp_of_the_original()
    {
        Append(epoch: 0, first: 0, count: 3, timestamp: 111);
        Append(epoch: 0, first: 3, count: 2, timestamp: 222);

        Assert.Equal(ProducerVerdict.Duplicate, _state.Check(Pid, 0, 0, 2, out var original));
        Assert.Equal(new ProducerBatch(0, 2, BaseOffset: 0, Timestamp: 111), original);
        Assert.Equal(2, original.LastOffset);
    }

    [Fact]
    public void A_retry_of_other_extent_is_out_of_order()
    {
        Append(epoch: 0, first: 0, count: 3);

        Assert.Equal(ProducerVerdict.OutOfOrder, Check(epoch: 0, first: 0, count: 2));
        Assert.Equal(ProducerVerdict.OutOfOrder, Check(epoch: 0, first: 1, count: 2));
    }

    [Fact]
    public void Five_batches_are_remembered_and_an_older_one_is_out_of_order()
    {
        for (var i = 0; i < 6; i++)
        {
            Append(epoch: 0, first: i, count: 1);
        }

        Assert.Equal(ProducerVerdict.OutOfOrder, Check(epoch: 0, first: 0, count: 1));
        Assert.Equal(ProducerVerdict.Duplicate, Check(epoch: 0, first: 1, count: 1));
        Assert.Equal(ProducerVerdict.Duplicate, Check(epoch: 0, first: 5, count: 1));
    }

    [Fact]
    public void Sequences_wrap_to_zero_between_batches()
    {
        Append(epoch: 0, first: int.MaxValue - 1, count: 2);

        Assert.Equal(ProducerVerdict.Next, Check(epoch: 0, first: 0, count: 1));
        Assert.Equal(ProducerVerdict.OutOfOrder, Check(epoch: 0, first: 1, count: 1));
    }

    [Fact]
    public void Sequences_wrap_to_zero_within_a_batch()
    {
        Append(epoch: 0, first: int.MaxValue - 1, count: 5);

        Assert.Equal(ProducerVerdict.Next, Check(epoch: 0, first: 3, count: 1));
        Assert.Equal(ProducerVerdict.Duplicate, Check(epoch: 0, first: int.MaxValue - 1, count: 5));
    }

    [Fact]
    public void A_new_epoch_begins_at_zero_and_fences_the_old_one()
    {
        Append(epoch: 1, first: 0, count: 3);

        Assert.Equal(ProducerVerdict.OutOfOrder, Check(epoch: 2, first: 3, count: 1));
        Assert.Equal(ProducerVerdict.Next, Check(epoch: 2, first: 0, count: 1));
        Append(epoch: 2, first: 0, count: 1);
        Assert.Equal(ProducerVerdict.StaleEpoch, Check(epoch: 1, first: 3, count: 1));
        Assert.Equal(ProducerVerdict.StaleEpoch, Check(epoch: 1, first: 0, count: 3));
    }

    [Fact]
    public void Idle_producers_are_forgotten_and_busy_ones_are_not()
    {
        _state.Append(1, 0, new ProducerBatch(0, 0, 0, -1), now: 1_000);
        _state.Append(2, 0, new ProducerBatch(0, 0, 1, -1), now: 2_000);

        Assert.Equal(1, _state.Expire(now: 2_500, idleMs: 1_500));
        Assert.Equal([2L], _state.Ids());
    }

    [Fact]
    public void Of_too_many_producers_the_longest_idle_are_forgotten()
    {
        for (var id = 0; id <= ProducerState.MaxProducers; id++)
        {
            _state.Append(id, 0, new ProducerBatch(0, 0, id, -1), now: id);
        }

        Assert.Equal(ProducerState.MaxProducers - (ProducerState.MaxProducers / 10) + 1, _state.Count);
        Assert.False(_state.TryGet((ProducerState.MaxProducers / 10) - 1, out _));
        Assert.True(_state.TryGet(ProducerState.MaxProducers / 10, out _));
        Assert.True(_state.TryGet(ProducerState.MaxProducers, out _));
    }

    [Fact]
    public void A_producer_whose_first_append_failed_is_not_known_expires_and_is_in_no_checkpoint()
    {
        _state.Reserve(Pid);

        Assert.Equal(ProducerVerdict.Unknown, Check(epoch: 0, first: 3, count: 1));
        Assert.Empty(_state.Ids());
        Assert.Equal("0100000000", Convert.ToHexString(PartitionCheckpoint.Write(_state)));
        Assert.Equal(1, _state.Expire(now: 1_000, idleMs: 1_000));
    }

    [Fact]
    public void Producers_last_seen_at_a_time_are_forgotten_up_to_a_number()
    {
        for (var id = 0; id < 10; id++)
        {
            _state.Append(id, 0, new ProducerBatch(0, 0, id, -1), now: id / 5);
        }

        Assert.Equal(3, _state.Forget(lastSeen: 0, atMost: 3));
        Assert.Equal(2, _state.Forget(lastSeen: 0, atMost: 3));
        Assert.Equal(5, _state.Count);
    }

    [Fact]
    public void A_clock_set_back_forgets_nobody()
    {
        _state.Append(1, 0, new ProducerBatch(0, 0, 0, -1), now: 10_000);
        _state.Append(1, 0, new ProducerBatch(1, 0, 1, -1), now: 1_000);

        Assert.Equal(0, _state.Expire(now: 9_000, idleMs: 5_000));
    }

    /// <summary>Against a model that keeps every batch ever appended and looks at the last five of the epoch.</summary>
    [Fact]
    public void It_judges_as_a_model_that_remembers_everything()
    {
        var attempt = Gen.Select(
            Gen.Long[0, 2], Gen.Short[0, 2], Gen.Int[0, 3], Gen.Int[0, 7],
            (pid, epoch, delta, step) => (Pid: pid, Epoch: epoch, Delta: delta, Step: step));
        attempt.List[0, 60].Sample(attempts =>
        {
            var state = new ProducerState();
            var log = new List<(long Pid, short Epoch, ProducerBatch Batch)>();
            foreach (var (pid, epoch, delta, step) in attempts)
            {
                // Sequences around the ones in use, near the wrap for one of the producers.
                var mine = log.FindAll(entry => entry.Pid == pid);
                var origin = mine.Count == 0 ? pid == 0 ? int.MaxValue - 4 : 0 : ProducerSequence.Next(mine[^1].Batch.LastSequence);
                var first = step switch
                {
                    < 5 => origin,
                    5 => 0,
                    6 => ProducerSequence.Advance(origin, 1),
                    _ => mine.Count == 0 ? 3 : mine[^Math.Min(mine.Count, 1 + delta)].Batch.FirstSequence,
                };

                var verdict = state.Check(pid, epoch, first, delta, out var original);

                Assert.Equal(Model(mine, epoch, first, delta, out var expected), verdict);
                Assert.Equal(expected, original);
                if (verdict is ProducerVerdict.Next or ProducerVerdict.Unknown)
                {
                    var batch = new ProducerBatch(first, delta, log.Sum(entry => entry.Batch.LastOffsetDelta + 1L), log.Count);
                    log.Add((pid, epoch, batch));
                    state.Append(pid, epoch, batch, now: log.Count);
                }

                // At any point, what is read back from a checkpoint judges the same.
                var bytes = PartitionCheckpoint.Write(state);
                state = PartitionCheckpoint.Read(bytes);
                Assert.Equal(bytes, PartitionCheckpoint.Write(state));
            }
        });
    }

    private static ProducerVerdict Model(
        List<(long Pid, short Epoch, ProducerBatch Batch)> mine, short epoch, int first, int delta, out ProducerBatch original)
    {
        original = default;
        if (mine.Count == 0)
        {
            return ProducerVerdict.Unknown;
        }

        var current = mine.Max(entry => entry.Epoch);
        if (epoch != current)
        {
            return epoch < current ? ProducerVerdict.StaleEpoch : first == 0 ? ProducerVerdict.Next : ProducerVerdict.OutOfOrder;
        }

        foreach (var (_, _, batch) in mine.Where(entry => entry.Epoch == current).TakeLast(5))
        {
            if (batch.FirstSequence == first && batch.LastOffsetDelta == delta)
            {
                original = batch;
                return ProducerVerdict.Duplicate;
            }
        }

        var last = mine[^1].Batch;
        var expected = (last.FirstSequence + (long)last.LastOffsetDelta + 1) % (int.MaxValue + 1L);
        return first == expected ? ProducerVerdict.Next : ProducerVerdict.OutOfOrder;
    }

    private ProducerVerdict Check(short epoch, int first, int count) => _state.Check(Pid, epoch, first, count - 1, out _);

    private void Append(short epoch, int first, int count, long timestamp = -1)
    {
        Assert.Contains(Check(epoch, first, count), new[] { ProducerVerdict.Unknown, ProducerVerdict.Next });
        _state.Append(Pid, epoch, new ProducerBatch(first, count - 1, _nextOffset, timestamp), now: 0);
        _nextOffset += count;
    }
}
