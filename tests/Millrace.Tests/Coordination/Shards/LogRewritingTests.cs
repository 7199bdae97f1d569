using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Coordination.Shards;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>A shard's log is written anew when most of it does not count any more, and begins there.</summary>
public sealed class LogRewritingTests
{
    private const int Spare = 20;

    // One of them counts.
    private const int Most = Spare + 1;
    private readonly SimulationKernel _kernel = new(seed: 1);
    private readonly ScriptedLog _log = new();
    private NodeRuntime _runtime = null!;
    private CoordinatorPartition<CounterShard, long> _partition = null!;

    [Fact]
    public void A_log_stays_as_short_as_what_counts_of_it_and_a_spare() => Run(async () =>
    {
        for (var i = 1; i <= 200; i++)
        {
            Assert.Equal(i, await Add(1));
            await SettleAsync();
            Assert.True(Length <= Spare + 3, $"{Length} records after {i}");
        }

        Load();
        await SettleAsync();
        Assert.Equal(200, await Read());
    });

    [Fact]
    public void A_log_that_was_too_long_when_it_was_loaded_is_written_anew_too() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(Most, maySplit: false, reply));
        _log.TrimError = CoordinatorError.NotHere;
        await Add(1);
        await SettleAsync();
        Assert.Equal((0, Most + 2), (_log.Start, Length));
        _log.TrimError = null;
        Load();
        await SettleAsync();
        Assert.Equal((Most + 2, 1), (_log.Start, Length));
    });

    [Fact]
    public void Operations_go_on_between_the_parts_and_count() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(Most, maySplit: false, reply));
        _log.IsFast = false;
        var added = Add(1);
        await SettleAsync();
        _log.Complete();
        Assert.Equal(Most + 1, await added);
        await SettleAsync();
        var meanwhile = Add(5);
        await SettleAsync();
        Assert.Equal([1, 1], _log.OpenSizes);
        _log.Complete();
        await SettleAsync();

        // The part is there, but not what came behind it: nothing is trimmed before all is.
        Assert.Equal(0, _log.Start);
        _log.Complete();
        Assert.Equal(Most + 6, await meanwhile);
        await SettleAsync();
        Assert.Equal(Most + 1, _log.Start);
        Load();
        await SettleAsync();
        Assert.Equal(Most + 6, await Read());
    });

    [Fact]
    public void A_part_that_fails_leaves_the_log_as_it_is_until_it_was_read_anew() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(Most, maySplit: false, reply));
        _log.IsFast = false;
        var added = Add(1);
        await SettleAsync();
        _log.Complete();
        await added;
        await SettleAsync();
        _log.IsFast = true;
        _log.Fail(CoordinatorError.Unavailable);
        await SettleAsync();
        Assert.Equal(2, _log.Reads);
        Assert.Equal(Most + 1, await Read());
        Assert.Equal((Most + 1, 1), (_log.Start, Length));
    });

    [Fact]
    public void It_ends_though_something_is_under_way_at_every_moment() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(Most, maySplit: false, reply));
        _log.IsFast = false;
        for (var i = 0; i < 10 && _log.Start == 0; i++)
        {
            _ = Add(1);
            await SettleAsync();
            _ = Add(1);
            await SettleAsync();
            _log.Complete();
            await SettleAsync();
        }

        Assert.True(_log.Start > 0);
    });

    [Fact]
    public void While_the_log_has_enough_to_do_nothing_is_written_anew() => Run(async () =>
    {
        _log.IsBusy = true;
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(2 * Most, maySplit: false, reply));
        await SettleAsync();
        Assert.Equal(2 * Most, Length);
        _log.IsBusy = false;
        await Add(1);
        await SettleAsync();
        Assert.Equal(1, Length);
    });

    [Fact]
    public void A_log_of_which_nothing_counts_any_more_is_trimmed_by_the_operation_that_brings_that_about() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(Most, maySplit: false, reply));
        await SettleAsync();
        Assert.Equal((0, Most), (_log.Start, Length));
        await _partition.SubmitAsync<long>((shard, reply) => shard.Clear(reply));
        await SettleAsync();
        Assert.Equal((Most, 1), (_log.Start, Length));

        Load();
        await SettleAsync();
        Assert.Equal(0, await Read());
        Assert.Equal(5, await Add(5));

        // What stayed of it is counted: so many more are spare.
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(Spare - 1, maySplit: false, reply));
        await SettleAsync();
        Assert.Equal((Most, Spare + 1), (_log.Start, Length));
        Assert.Equal(Spare + 5, await Add(1));
        await SettleAsync();
        Assert.Equal(1, Length);
    });

    [Fact]
    public void Trimming_is_tried_until_it_is_decided() => Run(async () =>
    {
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(Most, maySplit: false, reply));
        _log.TrimError = CoordinatorError.Unavailable;
        await Add(1);
        await SettleAsync();
        Assert.Equal(0, _log.Start);
        _log.TrimError = null;
        await _kernel.Delay(TimeSpan.FromSeconds(1));
        Assert.Equal(Most + 1, _log.Start);
    });

    [Fact]
    public void A_log_with_records_of_another_version_stays_as_it_is() => Run(async () =>
    {
        await _log.AppendAsync([new EncodedRecord(Encoding.UTF8.GetBytes("other"), null)], 0);
        Load();
        await SettleAsync();
        await _partition.SubmitAsync<long>((shard, reply) => shard.AddMany(3 * Spare, maySplit: false, reply));
        await SettleAsync();
        Assert.Equal((0, (3 * Spare) + 1), (_log.Start, Length));
    });

    private int Length => _log.Batches.Sum(batch => batch.Length);

    private void Run(Func<Task> test) => _kernel.Run(async () =>
    {
        using (_runtime = new NodeRuntime(_kernel.World.Time, _kernel.World, new SeededRandom(2), null!, NullLoggerFactory.Instance))
        {
            Load();
            await SettleAsync();
            await test();
            Assert.False(_runtime.Failed.IsCompleted);
        }
    });

    /// <summary>Another shard, loaded from the log, takes the place.</summary>
    private void Load()
    {
        _partition?.Resign();
        _partition = new CoordinatorPartition<CounterShard, long>(
            _runtime, "counter-0", context => new CounterShard(context), CounterShard.Codec, _log, _log, Spare);
    }

    private Task<long> Add(long number) => _partition.SubmitAsync<long>((shard, reply) => shard.Add(number, reply));

    private Task<long> Read() => _partition.SubmitAsync<long>((shard, reply) => shard.Read(reply));

    /// <summary>Lets everything happen that does not wait for the test.</summary>
    private Task SettleAsync() => _kernel.Delay(TimeSpan.FromMilliseconds(100));
}
