using Millrace.Runtime.Buffers;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams.Store;

public sealed class BackPressureTests
{
    /// <summary>Stays in its frame, which it fills.</summary>
    private const int RecordBytes = 2 * SmallRecordArena.LargestPayload;

    /// <summary>What it takes in the log cache, all in all.</summary>
    private const int CachedBytes = RecordBytes + RecordCost.Cached;

    /// <summary>What an upload of these tests may take for tables and index, beyond the limit.</summary>
    private const int UploadMemory = 64 << 10;

    [Fact]
    public async Task A_dead_store_makes_appends_wait_bounds_memory_and_everything_resumes()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        const long Limit = 1 << 20;
        await using var node = new TestNode(registry, storage, TestNode.Small with { NotUploadedBytes = Limit, UploadBytes = Limit / 4 });
        var owner = await node.CreateAsync();
        var dead = true;
        storage.BeforePut = (_, _) => Volatile.Read(ref dead) ? throw TestStorage.Unavailable : default;

        // Producers push until one of them has to wait.
        var appended = 0;
        while (true)
        {
            using var patience = new CancellationTokenSource();
            var admission = owner.Stream.AdmitAsync(RecordBytes, patience.Token).AsTask();
            if (!admission.IsCompleted)
            {
                patience.Cancel();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => admission);
                break;
            }

            await node.BeginAppend(owner, await admission, 1, RecordBytes, -1);
            appended++;
            Assert.True(node.Store.Budget.Held <= Limit);
        }

        // All but what the last one's way to the WAL would take.
        Assert.Equal((Limit - RecordCost.UnderWay) / CachedBytes, appended);
        Assert.Equal(appended, owner.Stream.NextOffset);
        var waiting = node.BeginAppendAsync(owner, bytes: RecordBytes);
        Assert.False(waiting.IsCompleted);

        Volatile.Write(ref dead, false);
        await await waiting;
        for (var i = 0; i < 300; i++)
        {
            await node.AppendAsync(owner, bytes: RecordBytes);
            Assert.True(node.Store.Budget.Held <= Limit + UploadMemory);
        }

        Assert.Equal(appended + 301, (await TestNode.ReadAllAsync(owner.Stream, 0)).Count);
    }

    [Fact]
    public async Task Uploaded_records_that_are_still_cached_leave_before_anybody_waits()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        const int Records = 32;
        const long Limit = Records * CachedBytes + RecordCost.UnderWay;
        await using var node = new TestNode(registry, storage, TestNode.Small with { NotUploadedBytes = Limit, TailCacheBytes = Limit });
        var owner = await node.CreateAsync();
        for (var i = 0; i < Records; i++)
        {
            await node.AppendAsync(owner, bytes: RecordBytes);
        }

        await node.UploadAsync();
        await TestNode.UntilAsync(() => node.Store.Budget.Held == Records * CachedBytes);
        var puts = registry.Commits;
        await node.AppendAsync(owner, bytes: RecordBytes);
        Assert.True(node.Store.Budget.Held <= Limit);
        Assert.Equal(puts, registry.Commits);
    }

    [Fact]
    public async Task A_frame_that_many_appends_share_is_counted_once()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        await using var node = new TestNode(registry, storage);
        var first = await node.CreateAsync();
        var second = await node.CreateAsync();
        var frame = node.Buffers.Rent(10 * RecordBytes);
        for (var i = 0; i < 10; i++)
        {
            using var permit = await first.Stream.AdmitAsync(RecordBytes, default);
            await (i % 2 == 0 ? first : second).AppendAsync(new StreamAppend(1, -1, frame.Memory.Slice(i * RecordBytes, RecordBytes), frame), permit);
        }

        frame.Release();
        Assert.Equal(frame.Capacity + 10 * RecordCost.Cached, node.Store.Budget.Held);
        await node.UploadAsync();
        await TestNode.UntilAsync(() => node.Store.Budget.Held == 0);
        await TestNode.UntilAsync(() => node.Buffers.RentedBytes == 0);
    }

    [Fact]
    public async Task Small_records_hold_little_more_memory_than_their_bytes()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        await using var node = new TestNode(registry, storage);
        var owner = await node.CreateAsync();
        for (var i = 0; i < 4000; i++)
        {
            await node.AppendAsync(owner, bytes: 100);
        }

        Assert.InRange(node.Store.Budget.Held, 4000 * (100 + RecordCost.Cached), 4000 * (100 + RecordCost.Cached) + (256 << 10));
        Assert.Equal(4000, (await TestNode.ReadAllAsync(owner.Stream, 0)).Count);
        await node.UploadAsync();
        await TestNode.UntilAsync(() => node.Store.Budget.Held == 0);
        Assert.Equal(4000, (await TestNode.ReadAllAsync(owner.Stream, 0, maxBytes: 50_000)).Count);
    }

    [Fact]
    public async Task What_is_charged_for_small_records_covers_the_memory_that_is_taken_for_them()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        await using var node = new TestNode(registry, storage, TestNode.Small with { NotUploadedBytes = 64 << 20, UploadBytes = 64 << 20 });
        var owners = new List<TestOwner>();
        for (var i = 0; i < 50; i++)
        {
            owners.Add(await node.CreateAsync());
        }

        var taken = 0L;
        node.Taking = bytes => taken += bytes;
        var frame = node.Buffers.Rent(75);
        taken = 0;
        for (var i = 0; i < 60_000; i++)
        {
            using var permit = await owners[0].Stream.AdmitAsync(75, default);
            await owners[i * 7 % owners.Count].AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit);
        }

        frame.Release();
        Assert.InRange(taken, 1, node.Store.Budget.Held);
        Assert.Equal(64, System.Runtime.CompilerServices.Unsafe.SizeOf<CachedRecord>());
    }

    [Fact]
    public async Task A_stream_of_few_records_holds_little()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        await using var node = new TestNode(registry, storage);
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner);
        var other = await node.CreateAsync();
        var taken = 0L;
        node.Taking = bytes => taken += bytes == BufferPool.CapacityFor(100) ? 0 : bytes;
        for (var i = 0; i < 3; i++)
        {
            await node.AppendAsync(other);
        }

        Assert.InRange(taken, 1, 4 * RecordCost.Cached);
    }

    [Fact]
    public async Task What_waits_for_its_flush_is_charged_for_that_until_it_is_durable()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        await using var node = new TestNode(registry, storage);
        var owner = await node.CreateAsync();
        node.Wal.Hold();
        var appends = new List<Task>();
        for (var i = 0; i < 10; i++)
        {
            appends.Add(await node.BeginAppendAsync(owner, bytes: RecordBytes));
        }

        Assert.Equal(10 * (CachedBytes + RecordCost.UnderWay), node.Store.Budget.Held);
        node.Wal.Release();
        await Task.WhenAll(appends);
        Assert.Equal(10 * CachedBytes, node.Store.Budget.Held);
    }

    [Fact]
    public async Task An_upload_is_charged_for_what_it_lays_out_until_it_ends()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        await using var node = new TestNode(registry, storage, TestNode.Small with { TailCacheBytes = 1 << 20 });
        var owner = await node.CreateAsync();
        for (var i = 0; i < 1000; i++)
        {
            await node.AppendAsync(owner);
        }

        var cached = node.Store.Budget.Held;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var puts = 0;
        storage.BeforePut = (_, _) =>
        {
            Interlocked.Increment(ref puts);
            return new(gate.Task);
        };
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Volatile.Read(ref puts) == 1);
        Assert.InRange(node.Store.Budget.Held, cached + 100_000, cached + 500_000);
        gate.SetResult();
        await TestNode.UntilAsync(() => registry.Describe(owner.Stream.Id).End == 1000 && node.Store.Budget.Held == cached);
    }
}
