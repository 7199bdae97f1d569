using Millrace.Runtime.Ids;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Store;

public sealed class LocalStreamTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _node;

    public LocalStreamTests() => _node = new TestNode(_registry, _storage);

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task All_memory_goes_back_when_everything_is_uploaded_and_read()
    {
        var owner = await _node.CreateAsync();
        for (var i = 0; i < 20; i++)
        {
            await _node.AppendAsync(owner, bytes: 300);
        }

        await TestNode.ReadAllAsync(owner.Stream, 0);
        await _node.UploadAsync();
        await TestNode.ReadAllAsync(owner.Stream, 0);
        await _node.Store.CloseAsync(default);
        await _node.Store.DisposeAsync();
        await TestNode.UntilAsync(() => _node.Buffers.RentedBytes == 0);
        Assert.Equal(0, _node.Store.Budget.Held);
    }

    [Fact]
    public async Task A_closed_stream_takes_neither_appends_nor_reads()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await owner.Stream.CloseAsync(default);
        await owner.Stream.CloseAsync(default);

        using var permit = await owner.Stream.AdmitAsync(10, default);
        Assert.Equal(StreamError.Closed, Assert.Throws<StreamException>(() => { _ = _node.BeginAppend(owner, permit, 1, 10, -1); }).Error);
        await AssertErrorAsync(StreamError.Closed, () => owner.Stream.ReadAsync(0, 10, default).AsTask());
        Assert.False(owner.Lost.IsCompleted);
    }

    [Fact]
    public async Task Closing_waits_for_appends_under_way_and_refuses_new_ones()
    {
        var owner = await _node.CreateAsync();
        _node.Wal.Hold();
        var append = await _node.BeginAppendAsync(owner);
        var close = owner.Stream.CloseAsync(default).AsTask();
        await AssertErrorAsync(StreamError.Closed, async () => await await _node.BeginAppendAsync(owner));
        Assert.False(close.IsCompleted);

        _node.Wal.Release();
        await append;
        await close.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, _registry.Describe(owner.Stream.Id).End);
    }

    [Fact]
    public async Task Trimming_raises_the_start_and_uploads_first_what_the_registry_must_know()
    {
        var owner = await _node.CreateAsync();
        for (var i = 0; i < 10; i++)
        {
            await _node.AppendAsync(owner, bytes: 400);
        }

        await owner.Stream.TrimAsync(7, default);
        Assert.Equal(7, owner.Stream.StartOffset);
        Assert.Equal(7, _registry.Describe(owner.Stream.Id).Start);
        await AssertErrorAsync(StreamError.OffsetOutOfRange, () => owner.Stream.ReadAsync(6, 10, default).AsTask());
        await AssertErrorAsync(StreamError.OffsetOutOfRange, () => owner.Stream.TrimAsync(11, default).AsTask());
        Assert.Equal([7, 8, 9], await TestNode.ReadAllAsync(owner.Stream, 7));

        await owner.Stream.TrimAsync(10, default);
        Assert.Empty(owner.Stream.Extents);
        Assert.Empty(await TestNode.ReadAllAsync(owner.Stream, 10));
        await owner.Stream.CloseAsync(default);
        var again = await _node.OpenAsync(owner.Stream.Id, epoch: 2);
        Assert.Equal((10, 10), (again.Stream.StartOffset, again.Stream.NextOffset));
        Assert.Equal(10, again.Stream.Checkpoint!.Value.Offset);
    }

    [Fact]
    public async Task A_stream_that_two_close_at_once_is_closed_for_both()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await Task.WhenAll(owner.Stream.CloseAsync(default).AsTask(), owner.Stream.CloseAsync(default).AsTask());
        Assert.Equal(1, (await _node.OpenAsync(owner.Stream.Id, epoch: 2)).Stream.NextOffset);
    }

    [Fact]
    public async Task A_stream_that_its_owner_gives_up_takes_nothing_more_and_the_others_go_on()
    {
        var (owner, other) = (await _node.CreateAsync(), await _node.CreateAsync());
        await _node.AppendAsync(owner);

        owner.Stream.Lose(new StreamException(StreamError.WalFailed, "The owner lost count"));

        Assert.Equal(StreamError.WalFailed, await owner.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await AssertErrorAsync(StreamError.WalFailed, () => _node.AppendAsync(owner));
        await _node.AppendAsync(other);
    }

    [Fact]
    public async Task An_owner_that_keeps_no_state_waits_for_no_checkpoint_when_it_trims()
    {
        var owner = new TestOwner { HasCheckpoint = false };
        owner.Stream = await _node.Store.OpenAsync(await _registry.CreateAsync(_node.Incarnation, default), new StreamEpoch(1), owner, default);
        await _node.AppendAsync(owner, count: 3);
        await owner.Stream.TrimAsync(3, default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(3, owner.Stream.StartOffset);
    }

    [Fact]
    public async Task A_fenced_wal_loses_every_stream_and_acknowledges_nothing_more()
    {
        var owner = await _node.CreateAsync();
        var other = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        _node.Wal.Hold();
        var pending = await _node.BeginAppendAsync(owner);
        _node.Wal.Fail(StreamError.Fenced);

        await AssertErrorAsync(StreamError.Fenced, () => pending);
        Assert.Equal(StreamError.Fenced, await owner.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(StreamError.Fenced, await other.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await AssertErrorAsync(StreamError.Fenced, () => owner.Stream.ReadAsync(0, 10, default).AsTask());
        await AssertErrorAsync(StreamError.Fenced, () => owner.Stream.AdmitAsync(10, default).AsTask());
        await AssertErrorAsync(StreamError.Fenced, () => _node.OpenAsync(owner.Stream.Id, 2));
        Assert.Equal(1, owner.Stream.ConfirmOffset);
        // The records that nobody has in an object are still there for whoever takes the WAL over.
        Assert.Equal(2, _node.Wal.Records.Count);
    }

    private static async Task AssertErrorAsync(StreamError expected, Func<Task> action) =>
        Assert.Equal(expected, (await Assert.ThrowsAsync<StreamException>(action)).Error);
}
