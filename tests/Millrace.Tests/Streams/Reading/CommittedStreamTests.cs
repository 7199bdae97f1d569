using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Reading;

/// <summary>What is committed of a stream, read at any offset by a node that does not have it open.</summary>
public sealed class CommittedStreamTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _owner;
    private readonly TestNode _other;

    public CommittedStreamTests()
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
    public async Task It_is_read_from_every_offset_up_to_so_many_bytes_and_one_record_at_least()
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
        var committed = _other.Store.FindCommitted(stream.Stream.Id);

        for (var offset = 0; offset < 120; offset++)
        {
            Assert.Equal([offset / 2 * 2L], await ReadAsync(committed, offset, maxBytes: 1));
            var several = await ReadAsync(committed, offset, maxBytes: 400);
            Assert.InRange(several!.Count, 1, 3);
            Assert.Equal(Enumerable.Range(offset / 2, several.Count).Select(i => i * 2L), several);
        }

        Assert.Null(await ReadAsync(committed, 120, maxBytes: 1));
    }

    [Fact]
    public async Task What_is_committed_later_is_found()
    {
        var stream = await _owner.CreateAsync();
        var committed = _other.Store.FindCommitted(stream.Stream.Id);
        for (var offset = 0; offset < 250; offset++)
        {
            await _owner.AppendAsync(stream, bytes: 10);
            Assert.Null(await ReadAsync(committed, offset, maxBytes: 1));
            await _owner.UploadAsync();
            Assert.Equal([offset], await ReadAsync(committed, offset, maxBytes: 1));
        }

        Assert.Equal([3], await ReadAsync(committed, 3, maxBytes: 1));
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

        var gone = await Assert.ThrowsAsync<StreamException>(() => ReadAsync(_other.Store.FindCommitted(stream.Stream.Id), 0, maxBytes: 1));
        Assert.Equal(StreamError.OffsetOutOfRange, gone.Error);
    }

    private static async Task<List<long>?> ReadAsync(ICommittedStream stream, long offset, int maxBytes)
    {
        using var read = await stream.ReadAsync(offset, maxBytes, default);
        return read?.Records.Select(record => record.BaseOffset).ToList();
    }
}
