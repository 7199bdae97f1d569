using Millrace.ObjectStorage;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams;

public sealed class StreamTests : IAsyncDisposable
{
    private readonly MemoryObjectStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _node;

    public StreamTests() => _node = new TestNode(_registry, _storage);

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task Appends_are_readable_once_they_are_durable_and_not_before()
    {
        var owner = await _node.CreateAsync();
        _node.Wal.Hold();
        var first = await _node.BeginAppendAsync(owner, count: 3);
        var second = await _node.BeginAppendAsync(owner, count: 2);

        Assert.Equal((0, 5), (owner.Stream.ConfirmOffset, owner.Stream.NextOffset));
        Assert.Empty(await TestNode.ReadAllAsync(owner.Stream, 0));
        var early = await Assert.ThrowsAsync<StreamException>(async () => await owner.Stream.ReadAsync(1, 100, default));
        Assert.Equal(StreamError.OffsetOutOfRange, early.Error);

        _node.Wal.Flush(1);
        await first;
        Assert.False(second.IsCompleted);
        Assert.Equal([0], await TestNode.ReadAllAsync(owner.Stream, 0));

        _node.Wal.Release();
        await second;
        Assert.Equal([0, 3], await TestNode.ReadAllAsync(owner.Stream, 0));
        Assert.Equal([3], await TestNode.ReadAllAsync(owner.Stream, 4));
        Assert.Equal([3, 5], owner.Confirmed);
    }

    [Fact]
    public async Task Uploaded_records_are_read_back_from_objects()
    {
        var big = await _node.CreateAsync();
        var small = await _node.CreateAsync();
        for (var i = 0; i < 50; i++)
        {
            await _node.AppendAsync(big, count: 2, bytes: 130, timestamp: 1000 + i);
        }

        await _node.AppendAsync(small, bytes: 10);
        await _node.AppendAsync(small, bytes: 2_000);
        await _node.UploadAsync();
        await TestNode.UntilAsync(() => _node.Store.Budget.Held == 0);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => i * 2L), await TestNode.ReadAllAsync(big.Stream, 0));
        Assert.Equal([0, 1], await TestNode.ReadAllAsync(small.Stream, 0));
        Assert.Equal([96, 98], await TestNode.ReadAllAsync(big.Stream, 97));
        Assert.Empty(_node.Wal.Records);
        var extent = Assert.Single(big.Stream.Extents);
        Assert.Equal(new StreamExtent(0, 100, 50 * 130, 1049), extent);
    }
}
