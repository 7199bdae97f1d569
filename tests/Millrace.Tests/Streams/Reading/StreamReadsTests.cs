using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Reading;

public sealed class StreamReadsTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _node;

    public StreamReadsTests() => _node = new TestNode(_registry, _storage);

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _storage.DisposeAsync();
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
        await _node.AppendAsync(small, bytes: 1_000);
        await _node.UploadAsync();
        await TestNode.UntilAsync(() => _node.Store.Budget.Held == 0);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => i * 2L), await TestNode.ReadAllAsync(big.Stream, 0));
        Assert.Equal([0, 1], await TestNode.ReadAllAsync(small.Stream, 0));
        Assert.Equal([96, 98], await TestNode.ReadAllAsync(big.Stream, 97));
        Assert.Empty(_node.Wal.Records);
        Assert.Equal(new StreamExtent(0, 100, 50 * 130, 1049), Assert.Single(big.Stream.Extents));
        // The big one has an object of its own.
        Assert.Equal(2, (await _storage.KeysAsync()).Count);
    }

    [Fact]
    public async Task Reads_go_on_from_objects_into_memory_without_a_gap()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner, bytes: 700);
        await _node.AppendAsync(owner, bytes: 700);
        await _node.UploadAsync();
        await TestNode.UntilAsync(() => _node.Store.Budget.Held == 0);
        await _node.AppendAsync(owner, bytes: 50);

        Assert.Equal([0, 1, 2], await TestNode.ReadAllAsync(owner.Stream, 0));
        Assert.Equal([(0, 2), (2, 3)], owner.Stream.Extents.Select(extent => (extent.StartOffset, extent.EndOffset)));
    }

    [Fact]
    public async Task A_read_returns_at_least_one_record_and_otherwise_keeps_to_its_limit()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner, bytes: 1000);
        await _node.AppendAsync(owner, bytes: 10);
        await _node.AppendAsync(owner, bytes: 10);

        foreach (var uploaded in new[] { false, true })
        {
            if (uploaded)
            {
                await _node.UploadAsync();
                await TestNode.UntilAsync(() => _node.Store.Budget.Held == 0);
            }

            using var tooSmall = await owner.Stream.ReadAsync(0, 1, default);
            Assert.Equal(1000, Assert.Single(tooSmall.Records).Payload.Length);
            using var exact = await owner.Stream.ReadAsync(1, 20, default);
            Assert.Equal([1, 2], exact.Records.Select(record => record.BaseOffset));
            using var oneLess = await owner.Stream.ReadAsync(1, 19, default);
            Assert.Equal([1], oneLess.Records.Select(record => record.BaseOffset));
        }
    }

    [Fact]
    public async Task What_was_read_stays_valid_when_the_caches_let_it_go()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner, bytes: 5000);
        using var fromMemory = await owner.Stream.ReadAsync(0, 1, default);
        await _node.UploadAsync();
        await TestNode.UntilAsync(() => _node.Store.Budget.Held == 0);
        using var fromObject = await owner.Stream.ReadAsync(0, 1, default);
        _node.Store.Blocks.Dispose();

        // Whoever rents memory now must not get theirs.
        var other = _node.Buffers.Rent(5000);
        other.GetSpan().Fill(0xAB);
        TestNode.CheckBytes(fromMemory.Records[0]);
        TestNode.CheckBytes(fromObject.Records[0]);
        other.Release();
    }

    [Fact]
    public async Task The_first_record_of_a_time_is_found_in_objects_and_in_memory()
    {
        var owner = await _node.CreateAsync();
        for (var i = 0; i < 20; i++)
        {
            await _node.AppendAsync(owner, bytes: 200, timestamp: 100 + i * 10);
            if (i is 6 or 13)
            {
                await _node.UploadAsync();
                await TestNode.UntilAsync(() => _node.Store.Budget.Held == 0);
            }
        }

        for (var timestamp = 95; timestamp <= 300; timestamp += 5)
        {
            using var found = await owner.Stream.FindByTimestampAsync(timestamp, fromOffset: 0, default);
            long? expected = Enumerable.Range(0, 20).Where(i => 100 + i * 10 >= timestamp).Select(i => (long?)i).FirstOrDefault();
            Assert.Equal(expected, found?.Records.Single().BaseOffset);
        }

        await owner.Stream.TrimAsync(9, default);
        using var afterTrim = await owner.Stream.FindByTimestampAsync(0, fromOffset: 0, default);
        Assert.Equal(9, afterTrim!.Records.Single().BaseOffset);
    }
}
