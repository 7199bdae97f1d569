using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

/// <summary>Streams that close while the WAL still writes their last records: these are uploaded meanwhile, and committed once the WAL has them.</summary>
public sealed class ClosingBesideWalTests : StreamsTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // What goes wrong at all does within some milliseconds.
    private static readonly TimeSpan LongEnough = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task The_last_object_is_written_while_the_WAL_is_and_committed_when_the_WAL_has_confirmed_what_it_holds()
    {
        var owner = await StartAsync();
        await Node.AppendAsync(owner);
        Node.Wal.Hold();
        var last = await Node.BeginAppendAsync(owner);

        var closing = owner.Stream.HandOverAsync(default).AsTask();
        await WrittenAsync();
        await Task.Delay(LongEnough);

        Assert.Equal((0, 0L, 1L), (Registry.Commits, Registry.Describe(owner.Stream.Id).End, owner.Stream.ConfirmOffset));
        Assert.False(last.IsCompleted || closing.IsCompleted);
        Assert.Equal([0], await TestNode.ReadAllAsync(owner.Stream, 0));
        Node.Wal.Release();

        await last.WaitAsync(Patience);
        await closing.WaitAsync(Patience);
        Assert.Equal((1, 2L), (Registry.Commits, Registry.Describe(owner.Stream.Id).End));
        Assert.Equal("state 2", System.Text.Encoding.ASCII.GetString((await Node.OpenAsync(owner.Stream.Id, epoch: 2)).Stream.Checkpoint!.Value.State.Span));
    }

    [Fact]
    public async Task Where_the_WAL_fails_meanwhile_the_stream_is_lost_and_nothing_is_committed()
    {
        var owner = await StartAsync();
        Node.Wal.Hold();
        var last = await Node.BeginAppendAsync(owner);
        var closing = owner.Stream.HandOverAsync(default).AsTask();
        await WrittenAsync();

        Node.Wal.Fail(StreamError.WalFailed);

        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(() => closing.WaitAsync(Patience))).Error);
        Assert.Equal(StreamError.WalFailed, await owner.Lost.WaitAsync(Patience));
        await Assert.ThrowsAsync<StreamException>(() => last);
        await TestNode.UntilAsync(() => Node.Store.Budget.Held == 0);
        Assert.Equal((0, 0L), (Registry.Commits, Registry.Describe(owner.Stream.Id).End));
    }

    [Fact]
    public async Task One_that_is_lost_meanwhile_keeps_nobody_from_closing_who_shares_its_object()
    {
        var owner = await StartAsync();
        var lost = await Node.CreateAsync();
        Node.Wal.Hold();
        var (last, unknown) = (await Node.BeginAppendAsync(owner), await Node.BeginAppendAsync(lost));
        var closing = Node.Store.HandOverAsync([owner.Stream, lost.Stream], default).AsTask();
        await WrittenAsync();

        lost.Stream.Lose(new StreamException(StreamError.Unknown, "Deleted"));
        Node.Wal.Release();

        await closing.WaitAsync(Patience);
        await Task.WhenAll(last, unknown).WaitAsync(Patience);
        Assert.Equal((1L, 0L), (Registry.Describe(owner.Stream.Id).End, Registry.Describe(lost.Stream.Id).End));
        Assert.Equal([0], await TestNode.ReadAllAsync((await Node.OpenAsync(owner.Stream.Id, epoch: 2)).Stream, 0));
    }

    [Fact]
    public async Task It_is_closed_though_its_answer_was_lost_and_others_have_moved_its_last_range_since()
    {
        var owner = await StartAsync();
        await Node.AppendAsync(owner);
        Registry.HasMovedRanges = true;

        await owner.Stream.HandOverAsync(default).AsTask().WaitAsync(Patience);

        Assert.Equal((1, 1L), (Registry.Commits, Registry.Describe(owner.Stream.Id).End));
        await TestNode.UntilAsync(() => Node.Store.Budget.Held == 0);
    }

    [Fact]
    public async Task What_waits_for_space_in_the_WAL_is_durable_before_it_is_uploaded()
    {
        var owner = await StartAsync();
        Node.Wal.HasPlace = false;
        Node.Wal.Hold();
        await Node.BeginAppendAsync(owner);
        var closing = owner.Stream.HandOverAsync(default).AsTask();
        await Task.Delay(LongEnough);

        Assert.Empty(await Storage.KeysAsync());
        Node.Wal.Release();
        await closing.WaitAsync(Patience);
        Assert.Equal(1, Registry.Describe(owner.Stream.Id).End);
    }

    [Fact]
    public async Task A_stream_that_goes_on_is_uploaded_when_its_records_are_durable()
    {
        var owner = await StartAsync();
        Node.Wal.Hold();
        await Node.BeginAppendAsync(owner);
        var uploading = owner.Stream.UploadAsync(1, default).AsTask();
        await Task.Delay(LongEnough);

        Assert.Empty(await Storage.KeysAsync());
        Node.Wal.Release();
        await uploading.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_store_that_stops_waits_for_no_WAL()
    {
        var owner = await StartAsync();
        Node.Wal.Hold();
        await Node.BeginAppendAsync(owner);
        var closing = owner.Stream.HandOverAsync(default).AsTask();
        await WrittenAsync();

        await Node.Store.DisposeAsync().AsTask().WaitAsync(Patience);

        Assert.Equal(StreamError.Closed, (await Assert.ThrowsAsync<StreamException>(() => closing.WaitAsync(Patience))).Error);
        Assert.Equal(0, Registry.Commits);
        Node.Wal.Release();
    }

    private async Task<TestOwner> StartAsync()
    {
        Start();
        return await Node.CreateAsync();
    }

    private async Task WrittenAsync() => Assert.True(await Eventually.BecomesTrueAsync(async () => (await Storage.KeysAsync()).Count == 1));
}
