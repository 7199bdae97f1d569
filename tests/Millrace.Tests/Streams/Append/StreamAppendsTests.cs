using System.Diagnostics.Metrics;
using Millrace.Runtime.Buffers;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams.Append;

public sealed class StreamAppendsTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _node;

    public StreamAppendsTests() => _node = new TestNode(_registry, _storage);

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
        await AssertErrorAsync(StreamError.OffsetOutOfRange, () => owner.Stream.ReadAsync(1, 100, default).AsTask());

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
    public async Task An_owner_hears_of_what_comes_while_it_is_told_afterwards_and_not_meanwhile()
    {
        var owner = await _node.CreateAsync();
        _node.Wal.Hold();
        var appends = new List<Task> { await _node.BeginAppendAsync(owner), await _node.BeginAppendAsync(owner) };
        owner.Confirming = confirmed =>
        {
            if (confirmed == 1)
            {
                _node.Wal.Flush(1);
                Assert.True(SpinWait.SpinUntil(() => owner.Stream.ConfirmOffset == 2, TimeSpan.FromSeconds(30)));
                Assert.Empty(owner.Confirmed);
            }
        };

        _node.Wal.Flush(1);
        await Task.WhenAll(appends);
        Assert.Equal([1, 2], owner.Confirmed);

        _node.Wal.Release();
        await _node.AppendAsync(owner);
        Assert.Equal([1, 2, 3], owner.Confirmed);
    }

    [Fact]
    public async Task A_small_record_does_not_keep_the_frame_that_it_came_in()
    {
        const int FrameBytes = 3 << 20;
        var owner = await _node.CreateAsync();
        using (var permit = await owner.Stream.AdmitAsync(SmallRecordArena.LargestPayload, default))
        {
            var frame = _node.Buffers.Rent(FrameBytes);
            var payload = frame.Memory.Slice(FrameBytes / 2, SmallRecordArena.LargestPayload);
            TestNode.Fill(payload.Span, owner.Stream.Id, 0);
            await owner.AppendAsync(new StreamAppend(1, -1, payload, frame), permit);
            frame.Release();
        }

        await TestNode.UntilAsync(() => _node.Buffers.RentedBytes < 1 << 20);
        Assert.InRange(_node.Store.Budget.Held, SmallRecordArena.LargestPayload, 1 << 20);
        Assert.Equal([0], await TestNode.ReadAllAsync(owner.Stream, 0));
    }

    [Fact]
    public async Task A_record_without_the_checksum_that_its_caller_states_is_refused_and_leaves_no_trace()
    {
        const int Bytes = Crc32C.WorthJoining;
        var owner = await _node.CreateAsync();
        var frame = _node.Buffers.Rent(Bytes);
        TestNode.Fill(frame.GetSpan(), owner.Stream.Id, 0);
        var right = Crc32C.Of(frame.GetSpan());
        using (var permit = await owner.Stream.AdmitAsync(Bytes, default))
        {
            var refused = Assert.Throws<StreamException>(() =>
            {
                _ = owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame) { PayloadChecksum = right + 1 }, permit).AsTask();
            });
            Assert.Equal(StreamError.Corrupt, refused.Error);
            Assert.Empty(_node.Wal.Records);
            await owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame) { PayloadChecksum = right }, permit);
        }

        frame.Release();
        Assert.Equal([0], await TestNode.ReadAllAsync(owner.Stream, 0));
    }

    [Fact]
    public async Task An_append_whose_place_in_memory_cannot_be_had_leaves_no_trace()
    {
        var owner = await _node.CreateAsync();
        var frame = _node.Buffers.Rent(100);
        for (var i = 0; i < 100; i++)
        {
            using var permit = await owner.Stream.AdmitAsync(100, default);
            // Neither the place in the log cache nor that for a small record.
            _node.Taking = bytes => throw new InsufficientMemoryException("The test has no more");
            var failed = false;
            try
            {
                await TestNode.AppendFromAsync(owner, frame, permit);
            }
            catch (OutOfMemoryException)
            {
                failed = true;
            }

            _node.Taking = null;
            Assert.Equal(failed ? i : i + 1, owner.Stream.NextOffset);
            if (failed)
            {
                await _node.AppendAsync(owner);
            }
        }

        frame.Release();
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i), _node.Wal.Records.Select(record => record.BaseOffset));
        Assert.Equal(100, (await TestNode.ReadAllAsync(owner.Stream, 0, maxBytes: 10_000)).Count);
    }

    [Fact]
    public async Task An_owner_that_throws_loses_its_stream_and_no_other()
    {
        var (broken, healthy) = (await _node.CreateAsync(), await _node.CreateAsync());
        await _node.AppendAsync(broken);
        broken.Confirming = _ => throw new InsufficientMemoryException("The test has no more");
        var failure = await Assert.ThrowsAsync<StreamException>(() => _node.AppendAsync(broken));
        Assert.Equal(StreamError.WalFailed, failure.Error);
        Assert.Equal(StreamError.WalFailed, await broken.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAsync<StreamException>(() => _node.AppendAsync(broken));
        Assert.Equal(2, _node.Wal.Records.Count);
        await _node.AppendAsync(healthy);
        Assert.Equal([0], await TestNode.ReadAllAsync(healthy.Stream, 0));
    }

    [Fact]
    public async Task A_hook_that_throws_behind_an_append_loses_the_stream_with_its_offset_given_out()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InsufficientMemoryException("The test has no more"));
        listener.EnableMeasurementEvents(_node.Store.Metrics.BytesAppended);
        await Record.ExceptionAsync(() => _node.AppendAsync(owner));
        Assert.Equal(StreamError.WalFailed, await owner.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(2, owner.Stream.NextOffset);
        await Assert.ThrowsAsync<StreamException>(() => _node.AppendAsync(owner));
        Assert.Equal([0, 1], _node.Wal.Records.Select(record => record.BaseOffset));
    }

    [Fact]
    public async Task A_permit_serves_one_append()
    {
        var owner = await _node.CreateAsync();
        var permit = await owner.Stream.AdmitAsync(100, default);
        await _node.BeginAppend(owner, permit, 1, 100, -1);
        Assert.Throws<InvalidOperationException>(() => { _ = _node.BeginAppend(owner, permit, 1, 100, -1); });
        permit.Dispose();
        Assert.Equal(1, owner.Stream.NextOffset);
        Assert.Single(_node.Wal.Records);
    }

    [Fact]
    public async Task Appends_of_many_threads_to_many_streams_keep_each_streams_order()
    {
        // Nothing is uploaded, so that the WAL shows all.
        await using var node = new TestNode(_registry, _storage, TestNode.Small with { UploadBytes = 64 << 20 }, epoch: 2);
        var owners = new List<TestOwner>();
        for (var i = 0; i < 5; i++)
        {
            owners.Add(await node.CreateAsync());
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                var owner = owners[(i + thread) % owners.Count];
                using var permit = await owner.Stream.AdmitAsync(64, default);
                var frame = node.Buffers.Rent(64);
                await owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit);
                frame.Release();
            }
        })));

        foreach (var owner in owners)
        {
            Assert.Equal(160, owner.Stream.ConfirmOffset);
            Assert.Equal(owner.Confirmed.Order(), owner.Confirmed);
            Assert.Equal(
                Enumerable.Range(0, 160).Select(i => (long)i),
                node.Wal.Records.Where(record => record.Stream == owner.Stream.Id).Select(record => record.BaseOffset));
        }
    }

    private static async Task AssertErrorAsync(StreamError expected, Func<Task> action) =>
        Assert.Equal(expected, (await Assert.ThrowsAsync<StreamException>(action)).Error);
}
