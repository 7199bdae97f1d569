using Millrace.Runtime.Ids;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Reading;

/// <summary>What is committed of a stream, read by a node that does not have it open.</summary>
public sealed class CommittedReaderTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _owner;
    private readonly TestNode _other;

    public CommittedReaderTests()
    {
        _owner = new TestNode(_registry, _storage);
        _other = new TestNode(_registry, _storage, epoch: 2);
    }

    public async ValueTask DisposeAsync()
    {
        await _owner.DisposeAsync();
        await _other.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task All_that_is_committed_is_read_in_order_and_what_only_its_owner_has_is_not()
    {
        var stream = await _owner.CreateAsync();
        for (var upload = 0; upload < 3; upload++)
        {
            for (var i = 0; i < 20; i++)
            {
                await _owner.AppendAsync(stream, count: 2, bytes: 130);
            }

            await _owner.UploadAsync();
        }

        await _owner.AppendAsync(stream, bytes: 130);

        for (var offset = 0; offset <= 120; offset++)
        {
            Assert.Equal(Enumerable.Range(offset / 2, 60 - (offset / 2)).Select(i => i * 2L), await ReadAsync(stream.Stream.Id, offset));
        }
    }

    [Fact]
    public async Task More_ranges_than_one_question_asks_for_are_read()
    {
        var stream = await _owner.CreateAsync();
        for (var upload = 0; upload < 105; upload++)
        {
            await _owner.AppendAsync(stream, bytes: 10);
            await _owner.UploadAsync();
        }

        Assert.Equal(Enumerable.Range(0, 105).Select(i => (long)i), await ReadAsync(stream.Stream.Id, 0));
    }

    [Fact]
    public async Task An_object_that_is_gone_is_told()
    {
        var stream = await _owner.CreateAsync();
        await _owner.AppendAsync(stream, bytes: 10);
        await _owner.UploadAsync();
        foreach (var key in await _storage.KeysAsync())
        {
            await _storage.DeleteAsync([key], default);
        }

        var gone = await Assert.ThrowsAsync<StreamException>(() => ReadAsync(stream.Stream.Id, 0));
        Assert.Equal(StreamError.OffsetOutOfRange, gone.Error);
    }

    private async Task<List<long>> ReadAsync(StreamId stream, long offset)
    {
        var offsets = new List<long>();
        await foreach (var read in _other.Store.ReadCommittedAsync(stream, offset, default))
        {
            offsets.AddRange(read.Records.Select(record => record.BaseOffset));
            read.Dispose();
        }

        return offsets;
    }
}
