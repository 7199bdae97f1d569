using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Coordination.Shards;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>The runtime of a shard on the simulator's time and thread, over a log that ends its appends as the test says.</summary>
public sealed class CoordinatorPartitionTests
{
    private readonly SimulationKernel _kernel = new(seed: 1);
    private readonly ScriptedLog _log = new();
    private NodeRuntime? _runtime;
    private CoordinatorPartition<CounterShard, long> _partition = null!;

    [Fact]
    public void An_answer_waits_until_what_it_says_is_durable() => Run(async () =>
    {
        _log.IsFast = false;
        var added = Add(5);
        await SettleAsync();
        Assert.Equal(1, _log.Open);
        Assert.False(added.IsCompleted);
        _log.Complete();
        Assert.Equal(5, await added);
    });

    [Fact]
    public void A_read_waits_for_what_it_saw() => Run(async () =>
    {
        _log.IsFast = false;
        var added = Add(5);
        await SettleAsync();
        var read = Read();
        await SettleAsync();
        Assert.False(read.IsCompleted);
        _log.Complete();
        Assert.Equal(5, await read);
        Assert.Equal(5, await added);
        Assert.Equal(5, await Read());
    });

    [Fact]
    public void Appends_follow_each_other_without_waiting_and_their_answers_come_in_order() => Run(async () =>
    {
        _log.IsFast = false;
        var first = Add(1);
        await SettleAsync();
        var second = Add(2);
        await SettleAsync();
        Assert.Equal(2, _log.Open);
        _log.Complete();
        Assert.Equal(1, await first);
        await SettleAsync();
        Assert.False(second.IsCompleted);
        _log.Complete();
        Assert.Equal(3, await second);
    });

    [Fact]
    public void What_waits_together_is_one_batch() => Run(async () =>
    {
        _log.IsFast = false;
        var adds = Enumerable.Range(0, 10).Select(_ => Add(1)).ToList();
        await SettleAsync();
        Assert.Equal(10, _log.OpenSizes.Sum());
        Assert.True(_log.Open <= 2, $"{_log.Open} appends");
        while (_log.Open > 0)
        {
            _log.Complete();
        }

        await Task.WhenAll(adds);
        Assert.Equal(10, await Read());
    });

    [Fact]
    public void A_failed_append_fails_what_came_after_it_and_loads_the_shard_anew() => Run(async () =>
    {
        Assert.Equal(7, await Add(7));
        var parked = _partition.SubmitAsync<long>((shard, reply) => shard.WaitFor(100, reply));
        _log.IsFast = false;
        var failed = Add(1);
        await SettleAsync();
        var behind = Add(2);
        await SettleAsync();
        _log.Fail(CoordinatorError.Unavailable);
        Assert.Equal(CoordinatorError.Unavailable, (await Assert.ThrowsAsync<CoordinatorException>(() => failed)).Error);
        Assert.Equal(CoordinatorError.Unavailable, (await Assert.ThrowsAsync<CoordinatorException>(() => behind)).Error);
        Assert.Equal(CoordinatorError.Unavailable, (await Assert.ThrowsAsync<CoordinatorException>(() => parked)).Error);

        // The append behind is still under way. If it lands after all, the shard has to know.
        await SettleAsync();
        Assert.Equal(1, _log.Reads);
        Assert.Equal(CoordinatorError.Loading, (await Assert.ThrowsAsync<CoordinatorException>(Read)).Error);
        _log.Complete();
        await SettleAsync();
        Assert.Equal(2, _log.Reads);
        Assert.Equal(9, await Read());
    });

    [Fact]
    public void Records_of_a_failed_append_that_landed_count() => Run(async () =>
    {
        _log.IsFast = false;
        var failed = Add(4);
        await SettleAsync();
        _log.Fail(CoordinatorError.Unavailable, landed: true);
        await Assert.ThrowsAsync<CoordinatorException>(() => failed);
        await SettleAsync();
        Assert.Equal(4, await Read());
    });

    [Fact]
    public void A_fenced_shard_is_gone_for_good() => Run(async () =>
    {
        _log.IsFast = false;
        var failed = Add(4);
        await SettleAsync();
        _log.Fail(CoordinatorError.NotHere);
        Assert.Equal(CoordinatorError.NotHere, (await Assert.ThrowsAsync<CoordinatorException>(() => failed)).Error);
        Assert.Equal(CoordinatorError.NotHere, (await Assert.ThrowsAsync<CoordinatorException>(Read)).Error);
        Assert.Equal(1, _log.Reads);
    });

    [Fact]
    public void Resigning_fails_those_who_wait() => Run(async () =>
    {
        var parked = _partition.SubmitAsync<long>((shard, reply) => shard.WaitFor(100, reply));
        await SettleAsync();
        _partition.Resign();
        Assert.Equal(CoordinatorError.NotHere, (await Assert.ThrowsAsync<CoordinatorException>(() => parked)).Error);
        Assert.Equal(CoordinatorError.NotHere, (await Assert.ThrowsAsync<CoordinatorException>(Read)).Error);
    });

    [Fact]
    public void An_operation_that_breaks_is_undone_by_loading_anew() => Run(async () =>
    {
        await Add(3);
        var parked = _partition.SubmitAsync<long>((shard, reply) => shard.WaitFor(100, reply));
        var broken = _partition.SubmitAsync<long>((shard, _) => shard.Break());
        Assert.Equal(CoordinatorError.Failed, (await Assert.ThrowsAsync<CoordinatorException>(() => broken)).Error);
        Assert.Equal(CoordinatorError.Loading, (await Assert.ThrowsAsync<CoordinatorException>(() => parked)).Error);
        await SettleAsync();
        Assert.Equal(3, await Read());
    });

    [Fact]
    public void A_fault_that_comes_back_at_once_makes_loading_wait() => Run(async () =>
    {
        for (var fault = 0; fault < 2; fault++)
        {
            await Assert.ThrowsAsync<CoordinatorException>(() => _partition.SubmitAsync<long>((shard, _) => shard.Break()));
            await SettleAsync();
        }

        Assert.Equal(CoordinatorError.Loading, (await Assert.ThrowsAsync<CoordinatorException>(Read)).Error);
        Assert.Equal(2, _log.Reads);
        await _kernel.Delay(TimeSpan.FromSeconds(1));
        Assert.Equal(0, await Read());
    });

    [Fact]
    public void A_parked_reply_is_answered_by_the_operation_it_waited_for() => Run(async () =>
    {
        var parked = _partition.SubmitAsync<long>((shard, reply) => shard.WaitFor(10, reply));
        await Add(6);
        Assert.False(parked.IsCompleted);
        await Add(6);
        Assert.Equal(12, await parked);
    });

    [Fact]
    public void Timers_append_what_they_have_to_say() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddLater(8, TimeSpan.FromSeconds(5), reply));
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddLater(1, TimeSpan.FromSeconds(2), reply));
        await _kernel.Delay(TimeSpan.FromSeconds(3));
        Assert.Equal(1, await Read());
        await _kernel.Delay(TimeSpan.FromSeconds(3));
        Assert.Equal(9, await Read());
    });

    [Fact]
    public void Records_that_may_split_fill_batches_and_others_must_fit_in_one() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(5_000, maySplit: true, reply));
        Assert.True(_log.Batches.Count > 1);
        Assert.Equal(5_000, _log.Batches.Sum(batch => batch.Length));
        var tooMuch = _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(5_000, maySplit: false, reply));
        Assert.Equal(CoordinatorError.Failed, (await Assert.ThrowsAsync<CoordinatorException>(() => tooMuch)).Error);
        await SettleAsync();
        Assert.Equal(5_000, await Read());
    });

    [Fact]
    public void A_full_batch_goes_before_the_operation_that_does_not_fit_in() => Run(async () =>
    {
        _log.IsFast = false;
        var adds = new[] { AddMany(2_000), AddMany(2_000), AddMany(2_000) };
        await SettleAsync();
        Assert.Equal([2_000, 2_000, 2_000], _log.OpenSizes);
        while (_log.Open > 0)
        {
            _log.Complete();
        }

        var sums = await Task.WhenAll(adds);
        Assert.Equal([2_000L, 4_000L, 6_000L], sums);
    });

    [Fact]
    public void Loading_is_tried_again_until_the_log_can_be_read_and_unknown_records_are_left_out()
    {
        _log.ReadError = CoordinatorError.Unavailable;
        _log.Batches.Add(
        [
            new EncodedRecord(Encoding.UTF8.GetBytes("sum"), Encoding.UTF8.GetBytes("5")),
            new EncodedRecord(Encoding.UTF8.GetBytes("other"), null),
        ]);
        Run(async () =>
        {
            await _kernel.Delay(TimeSpan.FromSeconds(2));
            Assert.Equal(CoordinatorError.Loading, (await Assert.ThrowsAsync<CoordinatorException>(Read)).Error);
            _log.ReadError = null;
            await _kernel.Delay(TimeSpan.FromSeconds(2));
            Assert.Equal(5, await Read());
        });
    }

    [Fact]
    public void A_lack_of_memory_makes_loading_wait_and_ends_nothing()
    {
        _log.Shortages = 3;
        Run(async () =>
        {
            Assert.Equal(CoordinatorError.Loading, (await Assert.ThrowsAsync<CoordinatorException>(Read)).Error);
            await _kernel.Delay(TimeSpan.FromSeconds(3));
            Assert.Equal(4, _log.Reads);
            Assert.Equal(0, await Read());
        });
    }

    [Fact]
    public async Task A_turn_that_cannot_begin_stops_the_node()
    {
        var scheduler = new RefusingScheduler();
        using var runtime = new NodeRuntime(TimeProvider.System, scheduler, new SeededRandom(2), null!, NullLoggerFactory.Instance);
        var partition = new CoordinatorPartition<CounterShard, long>(
            runtime, "counter-0", context => new CounterShard(context), CounterShard.Codec, _log, _log, spareRecords: 10_000);
        Assert.True(await Eventually.BecomesTrueAsync(() => _log.Reads == 1));
        while (!runtime.Failed.IsCompleted)
        {
            // A turn that still goes on takes the operation along.
            scheduler.Refuses = true;
            _ = partition.SubmitAsync<long>((shard, reply) => shard.Read(reply));
            await Task.Yield();
        }

        Assert.IsType<InsufficientMemoryException>((await runtime.Failed).InnerException);
    }

    private void Run(Func<Task> test) => _kernel.Run(async () =>
    {
        _runtime = new NodeRuntime(_kernel.World.Time, _kernel.World, new SeededRandom(2), null!, NullLoggerFactory.Instance);
        _partition = NewPartition(spareRecords: 10_000);
        if (_log.ReadError is null)
        {
            await SettleAsync();
        }

        await test();
        Assert.False(_runtime.Failed.IsCompleted);
    });

    private CoordinatorPartition<CounterShard, long> NewPartition(int spareRecords) =>
        new(_runtime!, "counter-0", context => new CounterShard(context), CounterShard.Codec, _log, _log, spareRecords);

    private Task<long> Add(long number) => _partition.SubmitAsync<long>((shard, reply) => shard.Add(number, reply));

    private Task<long> AddMany(int count) => _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(count, maySplit: false, reply));

    private Task<long> Read() => _partition.SubmitAsync<long>((shard, reply) => shard.Read(reply));

    /// <summary>Lets everything happen that does not wait for the test.</summary>
    private Task SettleAsync() => _kernel.Delay(TimeSpan.FromMilliseconds(100));
}
