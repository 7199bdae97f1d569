using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Coordination.Shards;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>A shard that is read before its partition is led here.</summary>
public sealed class WarmShardTests
{
    private const int Many = 500;
    private readonly SimulationKernel _kernel = new(seed: 1);
    private readonly ScriptedLog _log = new();
    private readonly List<long> _told = [];
    private CoordinatorRuntime<CounterShard, long> _shards = null!;

    [Fact]
    public void What_was_read_beforehand_is_not_read_again() => Run(async () =>
    {
        await AppendAsync(Many);
        WarmUp();
        await SettleAsync();
        Assert.Equal(Many, _told[^1]);
        await AppendAsync(3);
        await SettleAsync();
        Assert.Equal(Many + 3, _told[^1]);

        // Committed when it is elected, and not read yet.
        await AppendAsync(4);
        var before = _log.RecordsRead;
        _shards.Elect(0, 1, _log, _log);
        await SettleAsync();
        Assert.Equal(Many + 7, await ReadAsync());
        Assert.Equal(4, _log.RecordsRead - before);
        var told = _told.Count;
        await SettleAsync();
        Assert.Equal(told, _told.Count);
    });

    [Fact]
    public void A_log_that_was_trimmed_beyond_what_was_read_is_read_anew() => Run(async () =>
    {
        await AppendAsync(10);
        WarmUp();
        await SettleAsync();
        Assert.Equal(10, _told[^1]);

        // As a rewriting leaves it, between two looks: three addends more, and then all of the sum that is left.
        await AppendAsync(3, CounterShard.Whole + 4);
        await _log.TrimAsync(12, default);
        await SettleAsync();
        Assert.Equal(13, _told[^1]);
        _shards.Elect(0, 1, _log, _log);
        await SettleAsync();
        Assert.Equal(4, await ReadAsync());
    });

    [Fact]
    public void One_that_is_taken_before_it_has_seen_that_the_log_was_trimmed_is_read_anew() => Run(async () =>
    {
        await AppendAsync(10);
        WarmUp();
        await SettleAsync();
        _log.ReadError = CoordinatorError.Unavailable;
        await SettleAsync();
        await AppendAsync(3, 5);
        await _log.TrimAsync(12, default);
        _log.ReadError = null;
        _shards.Elect(0, 1, _log, _log);
        await SettleAsync();
        Assert.Equal(5, await ReadAsync());
    });

    [Fact]
    public void One_whose_leadership_ends_at_once_is_read_no_more() => Run(async () =>
    {
        await AppendAsync(10);
        WarmUp();
        await SettleAsync();
        _shards.Elect(0, 1, _log, _log);
        _shards.Resign(0, 1);
        await SettleAsync();
        var reads = _log.Reads;
        await SettleAsync();
        Assert.Equal(reads, _log.Reads);
    });

    [Fact]
    public void What_could_not_be_read_beforehand_is_read_when_it_is_led() => Run(async () =>
    {
        await AppendAsync(10);
        _log.ReadError = CoordinatorError.Unavailable;
        WarmUp();
        await SettleAsync();
        _log.ReadError = null;
        _shards.Elect(0, 1, _log, _log);
        await SettleAsync();
        Assert.Equal(10, await ReadAsync());
    });

    [Fact]
    public void A_shard_that_a_record_broke_is_read_anew() => Run(async () =>
    {
        await AppendAsync(10);
        await _log.AppendAsync([new EncodedRecord("sum"u8.ToArray(), "none"u8.ToArray())], 0);
        WarmUp();
        await SettleAsync();
        _log.Batches[^1] = [new EncodedRecord("sum"u8.ToArray(), "1"u8.ToArray())];
        _shards.Elect(0, 1, _log, _log);
        await SettleAsync();
        Assert.Equal(11, await ReadAsync());
    });

    [Fact]
    public void One_that_is_not_to_be_led_here_any_more_is_forgotten() => Run(async () =>
    {
        await AppendAsync(10);
        WarmUp();
        await SettleAsync();
        _shards.CoolDown(0);
        await SettleAsync();
        var reads = _log.Reads;
        await SettleAsync();
        Assert.Equal(reads, _log.Reads);
        _shards.Elect(0, 1, _log, _log);
        await SettleAsync();
        Assert.Equal(20, _log.RecordsRead);
        Assert.Equal(10, await ReadAsync());
    });

    private void Run(Func<Task> test) => _kernel.Run(async () =>
    {
        using var runtime = new NodeRuntime(_kernel.World.Time, _kernel.World, new SeededRandom(2), null!, NullLoggerFactory.Instance);
        _shards = new CoordinatorRuntime<CounterShard, long>(runtime, "counter", context => new CounterShard(context), CounterShard.Codec, Many);
        await test();
        Assert.False(runtime.Failed.IsCompleted);
    });

    private void WarmUp() => _shards.WarmUp(0, _log.MaxBatchBytes, _log, (offset, _) =>
    {
        _told.Add(offset);
        return Task.CompletedTask;
    });

    private async Task AppendAsync(int count, long last = 1)
    {
        for (var i = 0; i < count; i++)
        {
            await _log.AppendAsync([new EncodedRecord(Encoding.UTF8.GetBytes("sum"), Encoding.UTF8.GetBytes($"{(i == count - 1 ? last : 1)}"))], 0);
        }
    }

    private Task<long> ReadAsync() => _shards.SubmitAsync<long>(0, (shard, reply) => shard.Read(reply));

    /// <summary>Lets everything happen that does not wait for the test.</summary>
    private Task SettleAsync() => _kernel.Delay(TimeSpan.FromSeconds(2));
}
