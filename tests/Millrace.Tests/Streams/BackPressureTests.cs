using Millrace.Runtime.Buffers;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams;

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
            var admission = node.Store.AdmitAsync(RecordBytes, patience.Token).AsTask();
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
            using var permit = await node.Store.AdmitAsync(RecordBytes, default);
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
            using var permit = await node.Store.AdmitAsync(75, default);
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
        node.Store.RequestUpload();
        await TestNode.UntilAsync(() => Volatile.Read(ref puts) == 1);
        Assert.InRange(node.Store.Budget.Held, cached + 100_000, cached + 500_000);
        gate.SetResult();
        await TestNode.UntilAsync(() => registry.Describe(owner.Stream.Id).End == 1000 && node.Store.Budget.Held == cached);
    }

    [Fact]
    public async Task Whoever_waits_is_admitted_in_the_order_of_asking()
    {
        var pressed = 0;
        var budget = new MemoryBudget(100, reserve: 0, () => pressed++);
        var first = await budget.AdmitAsync(80, default);
        var large = budget.AdmitAsync(90, default).AsTask();
        using var impatient = new CancellationTokenSource();
        var leaving = budget.AdmitAsync(10, impatient.Token).AsTask();
        var small = budget.AdmitAsync(10, default).AsTask();
        Assert.Equal(3, pressed);
        Assert.Equal(70, budget.Shortage);
        // The small ones would fit, but are behind the large one.
        Assert.False(small.IsCompleted);
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        first.Dispose();
        first.Dispose();
        var admitted = await large;
        await small;
        Assert.Equal(0, budget.Shortage);
        admitted.Dispose();
    }

    [Fact]
    public async Task The_reserve_is_there_when_all_else_is_full_and_goes_first_when_there_is_room()
    {
        var budget = new MemoryBudget(100, reserve: 20, () => { });
        var all = await budget.AdmitAsync(100, default);
        var ordinary = budget.AdmitAsync(1, default).AsTask();
        var essential = budget.AdmitFromReserveAsync(20, default);
        Assert.True(essential.IsCompletedSuccessfully);
        var waiting = budget.AdmitFromReserveAsync(10, default).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal((2, 10), (budget.Waiting, budget.Shortage));

        (await essential).Dispose();
        (await waiting).Dispose();
        Assert.False(ordinary.IsCompleted);
        all.Dispose();
        (await ordinary).Dispose();
        Assert.Equal(0, budget.Waiting);
    }

    [Fact]
    public async Task When_the_one_in_front_gives_up_those_behind_move_up()
    {
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        using var first = await budget.AdmitAsync(80, default);
        using var impatient = new CancellationTokenSource();
        var large = budget.AdmitAsync(90, impatient.Token).AsTask();
        var small = budget.AdmitAsync(20, default).AsTask();
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
    }

    [Fact]
    public async Task What_is_larger_than_everything_passes_when_it_is_alone()
    {
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        var small = await budget.AdmitAsync(1, default);
        var huge = budget.AdmitAsync(1000, default).AsTask();
        Assert.False(huge.IsCompleted);
        small.Dispose();
        (await huge.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task Closing_fails_those_who_wait_and_those_who_come()
    {
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        using var all = await budget.AdmitAsync(100, default);
        var waiting = budget.AdmitAsync(1, default).AsTask();
        budget.Close(new StreamException(StreamError.WalFailed, "test"));
        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(() => waiting)).Error);
        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(async () => await budget.AdmitAsync(1, default))).Error);
    }
}
