using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.Store;
using Xunit;

namespace Millrace.Tests.Streams.Cache;

public sealed class BlockCacheTests : StreamsTest
{
    [Fact]
    public async Task Neighbouring_blocks_come_in_one_request()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 40);
        using var read = await stream.ReadAsync(0, 20_000, default);
        Assert.Equal(40, read.Records.Count);
        Assert.Equal(1, Storage.Reads);
    }

    [Fact]
    public async Task Readers_that_miss_the_same_block_wait_for_one_request()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 10);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Storage.BeforeRead = _ => new(gate.Task);
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

        Assert.Equal(1, Storage.Reads);
    }

    [Fact]
    public async Task Memory_stays_within_its_limit_and_old_blocks_leave_first()
    {
        const long Limit = 40_000;
        var stream = await UploadedAsync(TestNode.Small with { BlockCacheBytes = Limit, ReadAheadBytes = 0 }, records: 300);
        for (var i = 0; i < 300; i++)
        {
            (await stream.ReadAsync(i, 1, default)).Dispose();
            Assert.True(Node.Store.Blocks.Held <= Limit);
        }

        var reads = Storage.Reads;
        (await stream.ReadAsync(299, 1, default)).Dispose();
        Assert.Equal(reads, Storage.Reads);
        (await stream.ReadAsync(0, 1, default)).Dispose();
        Assert.Equal(reads + 1, Storage.Reads);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_read_ahead_outlives_what_was_read_until_its_reader_seems_to_have_left(bool readerComes)
    {
        const long Limit = 40_000;
        var stream = (LocalStream)await UploadedAsync(TestNode.Small with { BlockCacheBytes = Limit, ReadAheadBytes = 0 }, records: 300);
        var store = Node.Store;
        var range = stream.Core.Ranges[0];
        var index = (await store.Indexes.GetAsync(range.Object, range.ObjectSize, default))!;
        var entry = index.Ranges[index.FindRange(stream.Id, range.StartOffset, range.EndOffset)];
        var reader = new SequentialReader();
        Assert.True(await store.Blocks.FetchAheadAsync(index, entry, 0, 0, reader, default));

        // Each turn fetches three times the cache's bytes.
        for (var turn = 0; turn < 2; turn++)
        {
            Assert.True(await IsHeldAsync());
            for (var i = 1; i < 300; i++)
            {
                (await store.Blocks.GetAsync(index, entry, i, i, i, reader: null, default))!.Value.Buffer.Release();
            }

            reader.CameAt = readerComes ? store.Blocks.FetchedBytes : 0;
        }

        Assert.Equal(readerComes, await IsHeldAsync());

        // Asked for as by one that reads ahead, so that this does not count as its reader.
        async Task<bool> IsHeldAsync()
        {
            var reads = Storage.Reads;
            Assert.True(await store.Blocks.FetchAheadAsync(index, entry, 0, 0, reader, default));
            return Storage.Reads == reads;
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
        Assert.Equal(4, Storage.Reads);

        for (var i = 80; i < 200; i++)
        {
            (await stream.ReadAsync(i, 1, default)).Dispose();
        }

        // A block holds one record of 400 bytes: a reader alone would ask 120 times.
        Assert.True(Storage.Reads < 60, $"{Storage.Reads} requests");
    }

    [Fact]
    public async Task Room_for_reading_ahead_is_taken_before_it_is_filled()
    {
        const long Limit = 40_000;
        await UploadedAsync(TestNode.Small with { BlockCacheBytes = Limit }, records: 1);
        var blocks = Node.Store.Blocks;
        Assert.True(blocks.TryReserveAhead(Limit / 4));
        Assert.True(blocks.TryReserveAhead(Limit / 4));
        Assert.False(blocks.TryReserveAhead(1));
        blocks.ReturnAhead(Limit / 4);
        Assert.True(blocks.TryReserveAhead(1));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    public async Task A_scan_of_a_hundred_streams_reads_each_block_about_once(int blocksAnObject)
    {
        // A broker's defaults in blocks: a cache of 96, windows of up to 8, and a fetch that takes 2 of each partition.
        const int Block = 4096;
        const int Blocks = 80;
        const int Payload = Block - 200;
        Start(TestNode.Small with
        {
            NotUploadedBytes = 64 << 20,
            UploadBytes = 64 << 20,
            StreamObjectBytes = 64 << 20,
            DataBlockBytes = Payload,
            BlockCacheBytes = 96 * Block,
            ReadAheadBytes = 8 * Block,
        });
        var owners = new List<TestOwner>();
        for (var i = 0; i < 100; i++)
        {
            owners.Add(await Node.CreateAsync());
        }

        for (var i = 0; i < Blocks; i += blocksAnObject)
        {
            foreach (var owner in owners)
            {
                await Task.WhenAll(Enumerable.Range(0, blocksAnObject).Select(_ => Node.AppendAsync(owner, bytes: Payload)));
            }

            await Node.UploadAsync();
        }

        await TestNode.UntilAsync(() => Node.Store.Budget.Held == 0);
        for (var offset = 0L; offset < Blocks; offset += 2)
        {
            foreach (var owner in owners)
            {
                // Two at once, unless the second is pushed out before it is taken.
                for (var next = offset; next < offset + 2;)
                {
                    using var read = await owner.Stream.ReadAsync(next, (int)(offset + 2 - next) * Block, default);
                    next = read.Records[^1].EndOffset;
                }
            }
        }

        Assert.InRange(Node.Store.Blocks.Misses, owners.Count * Blocks, owners.Count * Blocks * 5 / 4);
    }

    [Fact]
    public async Task A_damaged_block_is_said_to_be_corrupt_and_its_neighbours_are_served()
    {
        var stream = await UploadedAsync(TestNode.Small with { ReadAheadBytes = 0 }, records: 10);
        await Storage.DamageAsync((await Storage.KeysAsync())[0], 100);
        Assert.Equal(StreamError.Corrupt, (await Assert.ThrowsAsync<StreamException>(async () => await stream.ReadAsync(0, 1, default))).Error);
        using var next = await stream.ReadAsync(1, 1, default);
        TestNode.CheckBytes(Assert.Single(next.Records));
    }

    [Fact]
    public async Task A_vanished_object_is_said_to_be_missing()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 10);
        await Storage.DeleteAsync(await Storage.KeysAsync(), default);
        Assert.Equal(StreamError.Corrupt, (await Assert.ThrowsAsync<StreamException>(async () => await stream.ReadAsync(0, 1, default))).Error);
    }

    [Fact]
    public async Task A_passing_failure_of_the_store_is_sat_out_and_a_lasting_one_is_told_and_forgotten()
    {
        var stream = await UploadedAsync(TestNode.Small, records: 10);
        var failures = 2;
        Storage.BeforeRead = _ => Interlocked.Decrement(ref failures) >= 0 ? throw TestStorage.Unavailable : default;
        (await stream.ReadAsync(0, 1, default)).Dispose();

        Volatile.Write(ref failures, int.MaxValue);
        Assert.Equal(StreamError.StorageUnavailable, (await Assert.ThrowsAsync<StreamException>(async () => await stream.ReadAsync(9, 1, default))).Error);
        Volatile.Write(ref failures, 0);
        (await stream.ReadAsync(9, 1, default)).Dispose();
    }

    private async Task<IStream> UploadedAsync(StreamsOptions options, int records)
    {
        Start(options);
        var owner = await Node.CreateAsync();
        for (var i = 0; i < records; i++)
        {
            await Node.AppendAsync(owner, bytes: 400);
        }

        await Node.UploadAsync();
        await TestNode.UntilAsync(() => Node.Store.Budget.Held == 0);
        return owner.Stream;
    }
}
