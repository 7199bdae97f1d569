using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Cache;

public sealed class BlockCacheTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private TestNode? _node;

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task Neighbouring_blocks_come_in_one_request()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 40);
        using var read = await stream.ReadAsync(0, 20_000, default);
        Assert.Equal(40, read.Records.Count);
        Assert.Equal(1, _storage.Reads);
    }

    [Fact]
    public async Task Readers_that_miss_the_same_block_wait_for_one_request()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 10);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _storage.BeforeRead = _ => new(gate.Task);
        var reads = Enumerable.Range(0, 8).Select(_ => stream.ReadAsync(0, 400, default).AsTask()).ToList();
        using var impatient = new CancellationTokenSource();
        var leaving = stream.ReadAsync(0, 400, impatient.Token).AsTask();
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        gate.SetResult();
        foreach (var read in await Task.WhenAll(reads))
        {
            TestNode.CheckBytes(Assert.Single(read.Records));
            read.Dispose();
        }

        Assert.Equal(1, _storage.Reads);
    }

    [Fact]
    public async Task Memory_stays_within_its_limit_and_old_blocks_leave_first()
    {
        const long Limit = 40_000;
        var stream = await UploadedAsync(TestNode.Small with { BlockCacheBytes = Limit, ReadAheadBytes = 0 }, records: 300);
        for (var i = 0; i < 300; i++)
        {
            (await stream.ReadAsync(i, 1, default)).Dispose();
            Assert.True(_node!.Store.Blocks.Held <= Limit);
        }

        var reads = _storage.Reads;
        (await stream.ReadAsync(299, 1, default)).Dispose();
        Assert.Equal(reads, _storage.Reads);
        (await stream.ReadAsync(0, 1, default)).Dispose();
        Assert.Equal(reads + 1, _storage.Reads);
    }

    [Fact]
    public async Task What_was_read_ahead_outlives_what_was_read_until_its_reader_seems_to_have_left()
    {
        const long Limit = 40_000;
        var stream = (Millrace.Streams.Stream)await UploadedAsync(TestNode.Small with { BlockCacheBytes = Limit, ReadAheadBytes = 0 }, records: 300);
        var store = _node!.Store;
        var range = stream.FindRange(0)!;
        var index = (await store.Indexes.GetAsync(range.Object, range.ObjectSize, default))!;
        var entry = index.Ranges[index.FindRange(stream.Id, range.StartOffset)];
        (await store.Blocks.GetAsync(index, entry, 0, 0, ahead: true, default))!.Value.Buffer.Release();

        await ReadOthersAsync();
        Assert.True(await IsHeldAsync());
        for (var bytes = 0L; bytes < 8 * Limit; bytes += 299 * 400)
        {
            await ReadOthersAsync();
        }

        Assert.False(await IsHeldAsync());

        async Task ReadOthersAsync()
        {
            for (var i = 1; i < 300; i++)
            {
                (await store.Blocks.GetAsync(index, entry, i, i, ahead: false, default))!.Value.Buffer.Release();
            }
        }

        // Asked for as by one that reads ahead, so that this does not count as its reader.
        async Task<bool> IsHeldAsync()
        {
            var reads = _storage.Reads;
            (await store.Blocks.GetAsync(index, entry, 0, 0, ahead: true, default))!.Value.Buffer.Release();
            return _storage.Reads == reads;
        }
    }

    [Fact]
    public async Task A_sequential_reader_finds_its_blocks_fetched_and_a_jumping_one_fetches_nothing_in_vain()
    {
        var stream = await UploadedAsync(TestNode.Small with { ReadAheadBytes = 8000 }, records: 200);
        foreach (var offset in new[] { 10, 150, 70, 30 })
        {
            (await stream.ReadAsync(offset, 1, default)).Dispose();
        }

        await Task.Yield();
        Assert.Equal(4, _storage.Reads);

        for (var i = 80; i < 200; i++)
        {
            (await stream.ReadAsync(i, 1, default)).Dispose();
        }

        // A block holds one record of 400 bytes: a reader alone would ask 120 times.
        Assert.True(_storage.Reads < 60, $"{_storage.Reads} requests");
    }

    [Fact]
    public async Task A_damaged_block_is_said_to_be_corrupt_and_its_neighbours_are_served()
    {
        var stream = await UploadedAsync(TestNode.Small with { ReadAheadBytes = 0 }, records: 10);
        await _storage.DamageAsync((await _storage.KeysAsync())[0], 100);
        Assert.Equal(StreamError.Corrupt, (await Assert.ThrowsAsync<StreamException>(async () => await stream.ReadAsync(0, 1, default))).Error);
        using var next = await stream.ReadAsync(1, 1, default);
        TestNode.CheckBytes(Assert.Single(next.Records));
    }

    [Fact]
    public async Task A_vanished_object_is_said_to_be_missing()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 10);
        await _storage.DeleteAsync(await _storage.KeysAsync(), default);
        Assert.Equal(StreamError.Corrupt, (await Assert.ThrowsAsync<StreamException>(async () => await stream.ReadAsync(0, 1, default))).Error);
    }

    [Fact]
    public async Task A_passing_failure_of_the_store_is_sat_out_and_a_lasting_one_is_told_and_forgotten()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 10);
        var failures = 2;
        _storage.BeforeRead = _ => Interlocked.Decrement(ref failures) >= 0 ? throw TestStorage.Unavailable : default;
        (await stream.ReadAsync(0, 1, default)).Dispose();

        Volatile.Write(ref failures, int.MaxValue);
        Assert.Equal(StreamError.StorageUnavailable, (await Assert.ThrowsAsync<StreamException>(async () => await stream.ReadAsync(9, 1, default))).Error);
        Volatile.Write(ref failures, 0);
        (await stream.ReadAsync(9, 1, default)).Dispose();
    }

    private async Task<IStream> UploadedAsync(StreamsOptions options, int records)
    {
        _node = new TestNode(_registry, _storage, options);
        var owner = await _node.CreateAsync();
        for (var i = 0; i < records; i++)
        {
            await _node.AppendAsync(owner, bytes: 400);
        }

        await _node.UploadAsync();
        await TestNode.UntilAsync(() => _node.Store.Budget.Held == 0);
        return owner.Stream;
    }
}
