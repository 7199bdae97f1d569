using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Recovery;

public sealed class ShareRecovererTests : IAsyncDisposable
{
    // The former store uploads only what a test asks it for: what is left for the recovery is known.
    private static readonly StreamsOptions KeepsAll = TestNode.Small with { UploadBytes = 64 << 20, NotUploadedBytes = 64 << 20 };

    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _former;
    private readonly TestNode _next;

    public ShareRecovererTests()
    {
        _former = new TestNode(_registry, _storage, KeepsAll);
        _next = new TestNode(_registry, _storage, epoch: 2);
    }

    public async ValueTask DisposeAsync()
    {
        await _former.DisposeAsync();
        await _next.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task A_second_store_serves_all_that_the_first_acknowledged_and_the_first_acknowledges_nothing_more()
    {
        var (uploaded, half, fresh) = (await _former.CreateAsync(), await _former.CreateAsync(), await _former.CreateAsync());
        await AppendAsync(uploaded, 10);
        await AppendAsync(half, 10);
        await _former.UploadAsync();
        await AppendAsync(half, 5);
        await AppendAsync(fresh, 30);
        // Paused with an append under way.
        _former.Wal.Hold();
        var late = await _former.BeginAppendAsync(fresh);

        var result = await TakeOverAsync();

        // The append was in the log and not acknowledged: it may count, and then in full.
        Assert.Equal(36 * 100, result.Bytes);
        Assert.Equal(2, result.Streams);
        Assert.Empty(_former.Wal.Records);
        foreach (var (owner, count) in new[] { (uploaded, 10), (half, 15), (fresh, 31) })
        {
            var taken = await _next.OpenAsync(owner.Stream.Id, epoch: 2);
            Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), await TestNode.ReadAllAsync(taken.Stream, 0));
            await _next.AppendAsync(taken);
            Assert.Equal(count + 1, taken.Stream.ConfirmOffset);
        }

        Assert.Equal(StreamError.Fenced, (await Assert.ThrowsAsync<StreamException>(() => late)).Error);
        // The store hears of it a moment later than the stream.
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                (await _former.Store.Budget.AdmitAsync(1, default)).Dispose();
                return false;
            }
            catch (StreamException refused)
            {
                return refused.Error == StreamError.Fenced;
            }
        }));
    }

    [Fact]
    public async Task A_stream_stays_closed_to_others_until_the_wal_is_recovered()
    {
        var owner = await _former.CreateAsync();
        await AppendAsync(owner, 1);
        var early = await Assert.ThrowsAsync<StreamException>(() => _next.OpenAsync(owner.Stream.Id, epoch: 2));
        Assert.Equal(StreamError.Incomplete, early.Error);
    }

    [Fact]
    public async Task An_upload_of_the_former_store_that_lands_late_counts_for_nothing()
    {
        var owner = await _former.CreateAsync();
        await AppendAsync(owner, 8);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var puts = 0;
        _storage.BeforePut = (_, _) => Interlocked.Increment(ref puts) == 1 ? new(gate.Task) : default;
        _former.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Volatile.Read(ref puts) == 1);

        await TakeOverAsync();
        gate.SetResult();
        await TestNode.UntilAsync(() => owner.Lost.IsCompleted);

        var taken = await _next.OpenAsync(owner.Stream.Id, epoch: 2);
        Assert.Equal(8, (await TestNode.ReadAllAsync(taken.Stream, 0)).Count);
        // The first object was the former store's.
        Assert.DoesNotContain(_registry.Describe(owner.Stream.Id).Ranges, range => range.Object.Value == 1);
    }

    [Fact]
    public async Task What_is_found_less_far_committed_than_it_was_read_is_read_again_and_not_closed_there()
    {
        var owner = await _former.CreateAsync();
        await AppendAsync(owner, 8);
        _registry.Before = call =>
        {
            if (call == "CompleteRecoveryAsync")
            {
                _registry.Forget(owner.Stream.Id);
            }

            return default;
        };

        Assert.Equal(StreamError.StorageUnavailable, (await Assert.ThrowsAsync<StreamException>(TakeOverAsync)).Error);

        var early = await Assert.ThrowsAsync<StreamException>(() => _next.OpenAsync(owner.Stream.Id, epoch: 2));
        Assert.Equal(StreamError.Incomplete, early.Error);
    }

    [Theory]
    [InlineData("PrepareAsync", 0)]
    [InlineData("CommitAsync", 0)]
    [InlineData("CommitAsync", 1)]
    [InlineData("CompleteRecoveryAsync", 0)]
    public async Task A_recovery_that_is_killed_and_repeated_brings_everything_once(string at, int after)
    {
        var owners = new List<TestOwner>();
        for (var i = 0; i < 4; i++)
        {
            owners.Add(await _former.CreateAsync());
        }

        for (var i = 0; i < 60; i++)
        {
            await _former.AppendAsync(owners[i % 4], bytes: 50_000);
        }

        var calls = 0;
        _registry.Before = call => call == at && Interlocked.Increment(ref calls) > after ? throw new StreamException(StreamError.Closed, "killed") : default;
        await Assert.ThrowsAsync<StreamException>(TakeOverAsync);
        _registry.Before = _ => default;
        await TakeOverAsync();

        foreach (var owner in owners)
        {
            var taken = await _next.OpenAsync(owner.Stream.Id, epoch: 2);
            Assert.Equal(Enumerable.Range(0, 15).Select(i => (long)i), await TestNode.ReadAllAsync(taken.Stream, 0));
        }
    }

    [Fact]
    public async Task Memory_stays_bounded_however_much_the_wal_holds()
    {
        var owner = await _former.CreateAsync();
        for (var i = 0; i < 60; i++)
        {
            await _former.AppendAsync(owner, bytes: 60_000);
        }

        var peak = 0L;
        _registry.Before = call =>
        {
            peak = Math.Max(peak, _next.Buffers.RentedBytes);
            return default;
        };
        await TakeOverAsync();
        Assert.InRange(peak, 1, 3 << 20);
        Assert.Equal(0, _next.Buffers.RentedBytes);
    }

    [Fact]
    public async Task Small_records_are_uploaded_together_though_an_upload_is_to_be_small()
    {
        var owner = await _former.CreateAsync();
        await AppendAsync(owner, 300);

        await TakeOverAsync(_next.Options with { UploadBytes = 32 << 10 });

        // 300 of 100 bytes, each with what is kept beside it: 62 KiB.
        Assert.Equal(2, _registry.Commits);
    }

    [Fact]
    public async Task Only_the_share_is_brought_and_called_complete_and_the_WAL_is_kept_for_the_others()
    {
        var (mine, another) = (await _former.CreateAsync(), await _former.CreateAsync());
        await AppendAsync(mine, 3);
        await AppendAsync(another, 5);
        _registry.Fence(_former.Incarnation);
        await using (var wal = _former.Wal.TakeOver())
        {
            var failover = new ShareRecoverer(_next.Runtime, _next.Options, new UploadTarget(_next.Incarnation, _storage, _registry, _next.Buffers));
            var whole = Assert.Single(await failover.GetSharesAsync(default), share => share.Ranges.Count > 0);
            var share = whole with { Ranges = [.. whole.Ranges.Where(range => range.Stream == mine.Stream.Id)] };

            var result = await failover.RecoverAsync(wal, share, default);

            Assert.Equal((8, 300, 1, false), (result.Records, result.Bytes, result.Streams, result.IsGivenBack));
        }

        Assert.NotEmpty(_former.Wal.Records);
        Assert.Equal((3, 0), (_registry.Describe(mine.Stream.Id).End, _registry.Describe(another.Stream.Id).End));
        Assert.Equal(3, (await _next.OpenAsync(mine.Stream.Id, epoch: 2)).Stream.NextOffset);
        Assert.True((await TakeOverAsync()).IsGivenBack);
        Assert.Equal(5, (await _next.OpenAsync(another.Stream.Id, epoch: 2)).Stream.NextOffset);
    }

    [Fact]
    public async Task Records_of_a_stream_that_was_opened_twice_keep_their_epochs()
    {
        var owner = await _former.CreateAsync();
        await AppendAsync(owner, 2);
        await owner.Stream.CloseAsync(default);
        var again = await _former.OpenAsync(owner.Stream.Id, epoch: 2);
        await AppendAsync(again, 3);
        await TakeOverAsync();

        var taken = await _next.OpenAsync(owner.Stream.Id, epoch: 3);
        using var read = await taken.Stream.ReadAsync(3, 1000, default);
        Assert.All(read.Records, record => Assert.Equal(new StreamEpoch(2), record.Epoch));
        Assert.Equal([0, 1, 2, 3, 4], await TestNode.ReadAllAsync(taken.Stream, 0));
    }

    [Fact]
    public async Task Records_of_deleted_streams_are_passed_over()
    {
        var (deleted, kept) = (await _former.CreateAsync(), await _former.CreateAsync());
        await AppendAsync(deleted, 3);
        await AppendAsync(kept, 3);
        _registry.Delete(deleted.Stream.Id);
        Assert.Equal(1, (await TakeOverAsync()).Streams);
        Assert.Equal(3, _registry.Describe(kept.Stream.Id).End);
    }

    [Fact]
    public async Task Streams_that_were_given_up_do_not_hinder_the_recovery_of_the_others()
    {
        var (givenUp, kept) = (await _former.CreateAsync(), await _former.CreateAsync());
        for (var i = 0; i < 6; i++)
        {
            await _former.AppendAsync(givenUp, count: 2);
            await _former.AppendAsync(kept);
        }

        _registry.Fence(_former.Incarnation);
        _registry.GiveUp(givenUp.Stream.Id);
        var anew = await _next.OpenAsync(givenUp.Stream.Id, epoch: 2);
        for (var i = 0; i < 3; i++)
        {
            await _next.AppendAsync(anew);
        }

        await _next.UploadAsync();
        Assert.Equal(1, (await TakeOverAsync()).Streams);
        Assert.Equal(6, _registry.Describe(kept.Stream.Id).End);
        Assert.Equal([0, 1, 2], await TestNode.ReadAllAsync(anew.Stream, 0));
    }

    [Fact]
    public async Task A_gap_is_said_aloud_the_other_streams_are_complete_and_the_wal_is_kept()
    {
        var (broken, healthy) = (await _former.CreateAsync(), await _former.CreateAsync());
        await AppendAsync(broken, 3);
        await AppendAsync(healthy, 3);
        await _former.UploadAsync();
        // The WAL is trimmed a moment after the commit; until then it could fill the gap.
        await TestNode.UntilAsync(() => _former.Wal.Records.Count == 0);
        _registry.Forget(broken.Stream.Id);
        await AppendAsync(broken, 1);
        await AppendAsync(healthy, 1);

        var failure = await Assert.ThrowsAsync<StreamException>(TakeOverAsync);
        Assert.Equal(StreamError.Corrupt, failure.Error);
        Assert.Contains($"stream {broken.Stream.Id}", failure.Message, StringComparison.Ordinal);
        Assert.NotEmpty(_former.Wal.Records);
        var taken = await _next.OpenAsync(healthy.Stream.Id, epoch: 2);
        Assert.Equal([0, 1, 2, 3], await TestNode.ReadAllAsync(taken.Stream, 0));
        Assert.Equal([broken.Stream.Id], _registry.Damaged);
        var refused = await Assert.ThrowsAsync<StreamException>(() => _next.OpenAsync(broken.Stream.Id, epoch: 2));
        Assert.Equal(StreamError.Incomplete, refused.Error);

        // Said again, also when nothing in the WAL shows it any more.
        await _former.Wal.TrimAsync(long.MaxValue, default);
        Assert.Equal(StreamError.Corrupt, (await Assert.ThrowsAsync<StreamException>(TakeOverAsync)).Error);
    }

    private async Task AppendAsync(TestOwner owner, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _former.AppendAsync(owner);
        }
    }

    private Task<RecoveredShare> TakeOverAsync() => TakeOverAsync(_next.Options);

    private async Task<RecoveredShare> TakeOverAsync(StreamsOptions options)
    {
        _registry.Fence(_former.Incarnation);
        await using ISealedWal wal = _former.Wal.TakeOver();
        var failover = new ShareRecoverer(_next.Runtime, options, new UploadTarget(_next.Incarnation, _storage, _registry, _next.Buffers));
        return await failover.RecoverShareAsync(wal);
    }
}
