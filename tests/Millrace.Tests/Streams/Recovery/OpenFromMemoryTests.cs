using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Recovery;

/// <summary>What a node has recovered it opens and reads from its memory, as far as that goes, and only what counts.</summary>
public sealed class OpenFromMemoryTests : IAsyncDisposable
{
    // The former store uploads only what a test asks it for: what is left for the recovery is known.
    private static readonly StreamsOptions KeepsAll = TestNode.Small with { UploadBytes = 64 << 20, NotUploadedBytes = 64 << 20 };

    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _former;
    private TestNode? _next;

    public OpenFromMemoryTests() => _former = new TestNode(_registry, _storage, KeepsAll);

    public async ValueTask DisposeAsync()
    {
        await _former.DisposeAsync();
        if (_next is not null)
        {
            await _next.DisposeAsync();
        }

        await _storage.DisposeAsync();
    }

    // Small ones together in one object, large ones in one each; several uploads of the recovery.
    [Theory]
    [InlineData(20, 100, 64 << 10)]
    [InlineData(20, 100, 4 << 10)]
    [InlineData(3, 1_500, 64 << 10)]
    [InlineData(2, 40_000, 64 << 10)]
    public async Task What_was_recovered_is_read_without_the_store(int streams, int bytes, int uploadBytes)
    {
        var owners = await FillAsync(streams, records: 4, bytes);

        await TakeOverAsync(TestNode.Small with { UploadBytes = uploadBytes });

        foreach (var owner in owners)
        {
            Assert.Equal([0, 1, 2, 3], await ReadAsync(owner));
        }

        Assert.Equal(0, _storage.Reads);
        Assert.Equal(0, _next!.Store.Blocks.Misses);
    }

    [Fact]
    public async Task What_lies_between_the_checkpoint_and_the_recovered_records_comes_from_the_store_and_they_do_not()
    {
        // A checkpoint that is large beside the records does not go with the second upload.
        var owner = await _former.CreateAsync(new TestOwner { CheckpointBytes = 10_000 });
        for (var uploads = 0; uploads < 2; uploads++)
        {
            await _former.AppendAsync(owner, bytes: 2_500);
            await _former.UploadAsync();
        }

        await _former.AppendAsync(owner, bytes: 2_500);
        await TakeOverAsync(TestNode.Small);

        var taken = await _next!.OpenAsync(owner.Stream.Id, epoch: 2);
        Assert.Equal((1, 3), (taken.Stream.Checkpoint!.Value.Offset, taken.Stream.ConfirmOffset));
        // The index of the object with the checkpoint, and the checkpoint.
        Assert.Equal(2, _storage.Reads);
        Assert.Equal([1, 2], await TestNode.ReadAllAsync(taken.Stream, 1));
        // The index of the second object, and its one block.
        Assert.Equal((4, 1), (_storage.Reads, _next.Store.Blocks.Misses));
    }

    [Fact]
    public async Task A_cache_that_is_too_small_keeps_what_it_can_within_its_bounds_and_the_store_has_the_rest()
    {
        const int Limit = 64 << 10;
        var owners = await FillAsync(streams: 40, records: 8, bytes: 700);

        await TakeOverAsync(TestNode.Small with { BlockCacheBytes = Limit, IndexCacheBytes = 1, UploadBytes = 16 << 10, ReadAheadBytes = 0 });

        Assert.InRange(_next!.Store.Blocks.Held, 1, Limit);
        foreach (var owner in owners)
        {
            Assert.Equal(Enumerable.Range(0, 8).Select(i => (long)i), await ReadAsync(owner));
            Assert.InRange(_next.Store.Blocks.Held, 1, Limit);
        }

        Assert.InRange(_next.Store.Blocks.Misses, 1, (40 * 8) - 1);
    }

    [Fact]
    public async Task Where_there_is_no_memory_to_keep_it_what_was_recovered_is_read_from_the_store()
    {
        var owner = (await FillAsync(streams: 1, records: 4, bytes: 100))[0];
        _registry.AfterCommit = () => _next!.Taking = _ => throw new InsufficientMemoryException("for the test");

        await TakeOverAsync(TestNode.Small);

        _next!.Taking = null;
        Assert.Equal([0, 1, 2, 3], await ReadAsync(owner));
        Assert.Equal(1, _next.Store.Blocks.Misses);
    }

    [Theory]
    [InlineData(RangeOutcome.Void)]
    [InlineData(RangeOutcome.Gap)]
    public async Task A_range_that_the_registry_refuses_is_not_kept(RangeOutcome outcome)
    {
        var (refused, kept) = (await _former.CreateAsync(), await _former.CreateAsync());
        await _former.AppendAsync(refused);
        await _former.UploadAsync();
        await _former.AppendAsync(refused);
        await _former.AppendAsync(kept);
        _registry.Before = call =>
        {
            if (call == "CommitAsync")
            {
                Refuse();
            }

            return default;
        };

        var failure = await Record.ExceptionAsync(() => TakeOverAsync(TestNode.Small));
        Assert.Equal(outcome == RangeOutcome.Gap, failure is StreamException { Error: StreamError.Corrupt });

        var range = Assert.Single(_registry.Describe(kept.Stream.Id).Ranges);
        var index = (await _next!.Store.Indexes.GetAsync(range.Object, range.ObjectSize, default))!;
        Assert.Equal((0, 2), (_storage.Reads, index.Ranges.Length));
        Assert.Null(_next.Store.Blocks.TryGet(range.Object, index.Ranges[index.FindRange(refused.Stream.Id, 1, 2)].FirstBlock));
        Assert.Equal([0], await ReadAsync(kept));
        Assert.Equal(0, _storage.Reads);

        void Refuse()
        {
            if (outcome == RangeOutcome.Void)
            {
                _registry.Delete(refused.Stream.Id);
            }
            else
            {
                _registry.Forget(refused.Stream.Id);
            }
        }
    }

    [Fact]
    public async Task A_range_that_is_cut_is_read_from_where_it_counts()
    {
        var owner = (await FillAsync(streams: 1, records: 4, bytes: 100))[0];
        // Another recovery of the same share was faster with a part of it.
        _registry.Before = call =>
        {
            if (call == "CommitAsync")
            {
                _registry.Before = _ => default;
                _registry.Commit(owner.Stream.Id, records: 2);
            }

            return default;
        };

        await TakeOverAsync(TestNode.Small);

        var taken = await _next!.OpenAsync(owner.Stream.Id, epoch: 2);
        Assert.Equal([2, 3], await TestNode.ReadAllAsync(taken.Stream, 2));
        Assert.Equal(0, _storage.Reads);
    }

    [Fact]
    public async Task A_stream_that_was_recovered_has_a_checkpoint_with_its_next_upload_though_little_was_written()
    {
        var taken = await TakeOverWithLargeStateAsync();
        await _next!.AppendAsync(taken, bytes: 100);
        await _next.UploadAsync();

        Assert.Equal([true, false, true], _registry.Describe(taken.Stream.Id).Ranges.Select(range => range.HasCheckpoint));
    }

    [Fact]
    public async Task A_stream_that_was_recovered_has_a_checkpoint_when_it_closes_though_nothing_was_written()
    {
        var taken = await TakeOverWithLargeStateAsync();
        await taken.Stream.CloseAsync(default).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        var again = await _next!.OpenAsync(taken.Stream.Id, epoch: 3);
        Assert.Equal((4, 4), (again.Stream.Checkpoint!.Value.Offset, again.Stream.ConfirmOffset));
    }

    /// <summary>A stream with a checkpoint of 250 bytes, and behind it three recovered records of 100.</summary>
    private async Task<TestOwner> TakeOverWithLargeStateAsync()
    {
        var owner = await _former.CreateAsync(new TestOwner { CheckpointBytes = 250 });
        await _former.AppendAsync(owner);
        await _former.UploadAsync();
        for (var i = 0; i < 3; i++)
        {
            await _former.AppendAsync(owner);
        }

        await TakeOverAsync(TestNode.Small);
        return await _next!.OpenAsync(owner.Stream.Id, epoch: 2, new TestOwner { CheckpointBytes = 250 });
    }

    private async Task<List<TestOwner>> FillAsync(int streams, int records, int bytes)
    {
        var owners = new List<TestOwner>();
        for (var i = 0; i < streams; i++)
        {
            var owner = await _former.CreateAsync();
            owners.Add(owner);
            for (var record = 0; record < records; record++)
            {
                await _former.AppendAsync(owner, bytes: bytes);
            }
        }

        return owners;
    }

    private async Task<List<long>> ReadAsync(TestOwner owner) =>
        await TestNode.ReadAllAsync((await _next!.OpenAsync(owner.Stream.Id, epoch: 2)).Stream, 0);

    private async Task TakeOverAsync(StreamsOptions options)
    {
        _next = new TestNode(_registry, _storage, options, epoch: 2);
        _registry.Fence(_former.Incarnation);
        await using ISealedWal wal = _former.Wal.TakeOver();
        var target = new UploadTarget(_next.Incarnation, _storage, _registry, _next.Buffers);
        await new ShareRecoverer(_next.Runtime, options, target, _next.Store.Cache).RecoverShareAsync(wal);
    }
}
