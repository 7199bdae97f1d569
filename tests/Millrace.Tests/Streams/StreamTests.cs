using System.Diagnostics.Metrics;
using System.Text;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams;

public sealed class StreamTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
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
    public async Task A_small_record_does_not_keep_the_frame_that_it_came_in()
    {
        const int FrameBytes = 3 << 20;
        var owner = await _node.CreateAsync();
        using (var permit = await _node.Store.AdmitAsync(SmallRecordArena.LargestPayload, default))
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
        using (var permit = await _node.Store.AdmitAsync(Bytes, default))
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
            using var permit = await _node.Store.AdmitAsync(100, default);
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
    public async Task A_stream_reopens_at_its_end_with_the_newest_checkpoint_and_its_epochs()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner, count: 5);
        await owner.Stream.CloseAsync(default);
        var again = await _node.OpenAsync(owner.Stream.Id, epoch: 4);

        Assert.Equal(5, again.Stream.NextOffset);
        Assert.Equal("state 5", Encoding.ASCII.GetString(again.Stream.Checkpoint!.Value.State.Span));
        Assert.Equal(5, again.Stream.Checkpoint!.Value.Offset);
        Assert.Equal([new(new StreamEpoch(1), 0), new(new StreamEpoch(4), 5)], again.Stream.Epochs);
        await _node.AppendAsync(again);
        Assert.Equal([0, 5], await TestNode.ReadAllAsync(again.Stream, 0));
    }

    [Fact]
    public async Task A_closed_stream_takes_neither_appends_nor_reads()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await owner.Stream.CloseAsync(default);
        await owner.Stream.CloseAsync(default);

        using var permit = await _node.Store.AdmitAsync(10, default);
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
    public async Task A_stream_that_was_lost_is_not_opened_again_at_its_epoch_since_its_offsets_are_given_out()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await _node.UploadAsync();
        _registry.Forget(owner.Stream.Id);
        await _node.AppendAsync(owner);
        _node.Store.RequestUpload();
        Assert.Equal(StreamError.Corrupt, await owner.Lost.WaitAsync(TimeSpan.FromSeconds(30)));

        await AssertErrorAsync(StreamError.Fenced, () => _node.OpenAsync(owner.Stream.Id, epoch: 1));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task An_opening_that_failed_half_way_hinders_neither_its_repetition_nor_a_higher_epoch(int epoch)
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await owner.Stream.CloseAsync(default);
        _registry.Before = call => call == "GetRangesAsync" ? throw new StreamException(StreamError.Corrupt, "for a while") : default;
        await AssertErrorAsync(StreamError.Corrupt, () => _node.OpenAsync(owner.Stream.Id, epoch: 2));
        _registry.Before = _ => default;

        Assert.Equal([0], await TestNode.ReadAllAsync((await _node.OpenAsync(owner.Stream.Id, epoch)).Stream, 0));
    }

    [Fact]
    public async Task A_store_that_closes_closes_what_it_failed_to_open_too()
    {
        var owner = await _node.CreateAsync();
        await owner.Stream.CloseAsync(default);
        _registry.Before = call => call == "GetRangesAsync" ? throw new StreamException(StreamError.Corrupt, "for a while") : default;
        await AssertErrorAsync(StreamError.Corrupt, () => _node.OpenAsync(owner.Stream.Id, epoch: 2));
        _registry.Before = _ => default;
        await _node.Store.CloseAsync(default);

        await using var next = new TestNode(_registry, _storage, epoch: 2);
        Assert.Equal(0, (await next.OpenAsync(owner.Stream.Id, epoch: 3)).Stream.NextOffset);
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
        await AssertErrorAsync(StreamError.Fenced, () => _node.Store.AdmitAsync(10, default).AsTask());
        await AssertErrorAsync(StreamError.Fenced, () => _node.OpenAsync(owner.Stream.Id, 2));
        Assert.Equal(1, owner.Stream.ConfirmOffset);
        // The records that nobody has in an object are still there for whoever takes the WAL over.
        Assert.Equal(2, _node.Wal.Records.Count);
    }

    [Fact]
    public async Task A_permit_serves_one_append()
    {
        var owner = await _node.CreateAsync();
        var permit = await _node.Store.AdmitAsync(100, default);
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
                using var permit = await node.Store.AdmitAsync(64, default);
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
