using System.Diagnostics.Metrics;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class UploadTests : StreamsTest
{
    [Fact]
    public async Task An_upload_begins_by_size()
    {
        // Smaller records share memory, and the first of them counts for all of it.
        const int Bytes = SmallRecordArena.LargestPayload + 1;
        var node = Start(TestNode.Small with { UploadBytes = 10 * Bytes });
        var owner = await node.CreateAsync();
        for (var i = 0; i < 20; i++)
        {
            await node.AppendAsync(owner, Bytes);
        }

        await TestNode.UntilAsync(() => Registry.Describe(owner.Stream.Id).End >= 10);
    }

    [Fact]
    public async Task An_upload_begins_by_age()
    {
        var node = Start(TestNode.Small with { UploadInterval = TimeSpan.FromMilliseconds(30) });
        var owner = await node.CreateAsync();
        for (var i = 1; i <= 3; i++)
        {
            await node.AppendAsync(owner);
            await TestNode.UntilAsync(() => Registry.Describe(owner.Stream.Id).End == i);
        }
    }

    [Fact]
    public async Task An_upload_begins_when_the_wal_fills()
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync();
        node.Wal.Fullness = 0.6;
        await node.AppendAsync(owner);
        await TestNode.UntilAsync(() => Registry.Describe(owner.Stream.Id).End == 1);
    }

    [Fact]
    public async Task Failed_writes_and_lost_answers_are_repeated_until_the_data_is_committed_once()
    {
        var node = Start(TestNode.Small);
        var (puts, commits) = (0, 0);
        Storage.BeforePut = (_, _) => Interlocked.Increment(ref puts) % 3 != 0 ? throw TestStorage.Unavailable : default;
        Registry.AfterCommit = () =>
        {
            if (Interlocked.Increment(ref commits) % 2 == 1)
            {
                throw new StreamException(StreamError.StorageUnavailable, "The test lost the answer");
            }
        };
        var failures = 0L;
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((_, failed, _, _) => Interlocked.Add(ref failures, failed));
        listener.EnableMeasurementEvents(node.Store.Metrics.UploadFailures);
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner, bytes: 300);
        await node.UploadAsync();
        await node.AppendAsync(owner, bytes: 300);
        await node.UploadAsync();

        // Of each upload two writes and the first answer to its commit.
        Assert.Equal(6, failures);
        Assert.Equal(2, Registry.Commits);
        Assert.Equal([(0, 1), (1, 2)], Registry.Describe(owner.Stream.Id).Ranges.Select(range => (range.StartOffset, range.EndOffset)));
        Assert.Equal([0, 1], await TestNode.ReadAllAsync(owner.Stream, 0));
    }

    [Fact]
    public async Task An_error_that_nobody_expected_is_sat_out_too()
    {
        var node = Start(TestNode.Small);
        var puts = 0;
        Storage.BeforePut = (_, _) => Interlocked.Increment(ref puts) == 1 ? throw new InvalidDataException("surprise") : default;
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner);
        await node.UploadAsync();
        Assert.Equal(2, puts);
    }

    [Fact]
    public async Task Expired_objects_are_uploaded_again_under_new_ids()
    {
        var node = Start(TestNode.Small);
        var commits = 0;
        Registry.Before = call => call == "CommitAsync" && Interlocked.Increment(ref commits) == 1
            ? throw new StreamException(StreamError.PrepareExpired, "The test took its time")
            : default;
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner);
        await node.UploadAsync();

        Assert.Equal(2, (await Storage.KeysAsync()).Count);
        Assert.Equal(2, Assert.Single(Registry.Describe(owner.Stream.Id).Ranges).Object.Value);
        Assert.Equal([0], await TestNode.ReadAllAsync(owner.Stream, 0));
    }

    [Fact]
    public async Task Later_uploads_of_a_stream_run_beside_a_slow_one_and_commit_after_it()
    {
        var node = Start(TestNode.Small);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var puts = 0;
        Storage.BeforePut = (_, _) => Interlocked.Increment(ref puts) == 1 ? new(gate.Task) : default;
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner);
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => puts == 1);
        await node.AppendAsync(owner);
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => puts == 2);
        await TestNode.UntilAsync(() => Storage.KeysAsync().Result.Count == 1);
        Assert.Equal(0, Registry.Commits);
        Assert.Equal(0, node.Wal.TrimmedTo);

        gate.SetResult();
        await TestNode.UntilAsync(() => Registry.Describe(owner.Stream.Id).End == 2);
        await TestNode.UntilAsync(() => node.Wal.Records.Count == 0);
    }

    [Fact]
    public async Task The_wal_keeps_what_is_not_committed()
    {
        var (node, first, second) = await StartWithTwoAsync();
        await node.UploadAsync();
        await TestNode.UntilAsync(() => node.Wal.Records.Count == 0);

        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var puts = 0;
        Storage.BeforePut = (_, _) =>
        {
            Interlocked.Increment(ref puts);
            return new(gate.Task);
        };
        await node.AppendAsync(first);
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Volatile.Read(ref puts) == 1);
        await node.AppendAsync(second);
        Assert.Equal([first.Stream.Id, second.Stream.Id], node.Wal.Records.Select(record => record.Stream));
        gate.SetResult();
        await TestNode.UntilAsync(() => node.Wal.Records.Count == 1);
        Assert.Equal(second.Stream.Id, Assert.Single(node.Wal.Records).Stream);
    }

    [Fact]
    public async Task Closing_the_store_uploads_everything_in_one_go_and_closes_all_ranges()
    {
        var node = Start(TestNode.Small);
        var owners = new List<TestOwner>();
        for (var i = 0; i < 5; i++)
        {
            owners.Add(await node.CreateAsync());
            await node.AppendAsync(owners[i], bytes: 50);
        }

        await node.Store.CloseAsync(default);
        Assert.True(Registry.Commits <= 2, $"{Registry.Commits} commits");
        Assert.Empty(node.Wal.Records);
        await using var next = new TestNode(Registry, Storage, epoch: 2);
        foreach (var owner in owners)
        {
            var again = await next.OpenAsync(owner.Stream.Id, epoch: 2);
            Assert.Equal([0], await TestNode.ReadAllAsync(again.Stream, 0));
        }
    }

    [Fact]
    public async Task Stopping_without_closing_leaves_everything_in_the_wal()
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner);
        await node.Store.DisposeAsync();
        Assert.Single(node.Wal.Records);
        Assert.Empty(await Storage.KeysAsync());
        await TestNode.UntilAsync(() => node.Buffers.RentedBytes == 0);
    }

    [Fact]
    public async Task An_upload_for_which_there_is_no_memory_is_done_in_parts()
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync(new TestOwner { HasAnnex = false });
        for (var i = 0; i < 1000; i++)
        {
            await node.AppendAsync(owner);
        }

        node.Taking = bytes =>
        {
            if (bytes > 40_000)
            {
                throw new InsufficientMemoryException("The test has no more");
            }
        };
        await node.UploadAsync();

        var ranges = Registry.Describe(owner.Stream.Id).Ranges;
        Assert.InRange(ranges.Count, 4, 16);
        Assert.Equal(1000, ranges[^1].EndOffset);
        Assert.True(ranges[^1].HasCheckpoint);
        node.Taking = null;
        await TestNode.UntilAsync(() => node.Store.Budget.Held == 0);
        Assert.Equal(1000, (await TestNode.ReadAllAsync(owner.Stream, 0, maxBytes: 10_000)).Count);
    }

    [Fact]
    public async Task An_upload_that_never_fits_is_repeated_with_the_least_until_there_is_memory()
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync(new TestOwner { HasAnnex = false });
        await node.AppendAsync(owner);
        await node.AppendAsync(owner);
        var refused = 0;
        node.Taking = _ =>
        {
            if (Interlocked.Increment(ref refused) <= 10)
            {
                throw new InsufficientMemoryException("The test has no more");
            }
        };
        await node.UploadAsync();
        Assert.Equal([(0, 1), (1, 2)], Registry.Describe(owner.Stream.Id).Ranges.Select(range => (range.StartOffset, range.EndOffset)));
    }

    [Fact]
    public async Task A_backlog_goes_in_several_uploads_of_moderate_size()
    {
        var node = Start(TestNode.Small with { UploadBytes = 10_000 });
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Before = call => call == "PrepareAsync" ? new(gate.Task) : default;
        var owners = new List<TestOwner>();
        for (var i = 0; i < 3; i++)
        {
            owners.Add(await node.CreateAsync(new TestOwner { HasAnnex = false }));
        }

        for (var i = 0; i < 1500; i++)
        {
            await node.AppendAsync(owners[i % 3]);
        }

        gate.SetResult();
        await node.UploadAsync();
        Assert.All(owners, owner => Assert.All(Registry.Describe(owner.Stream.Id).Ranges, range => Assert.InRange(range.Bytes, 1, 20_000)));
        Assert.All(owners, owner => Assert.Equal(500, Registry.Describe(owner.Stream.Id).End));
        foreach (var owner in owners)
        {
            Assert.Equal(500, (await TestNode.ReadAllAsync(owner.Stream, 0, maxBytes: 10_000)).Count);
        }
    }

    [Fact]
    public async Task A_checkpoint_that_is_long_overdue_goes_with_a_range_that_is_taken_whole()
    {
        var node = Start(TestNode.Small with { UploadBytes = 1_000 });
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Before = call => call == "PrepareAsync" ? new(gate.Task) : default;
        var owner = await node.CreateAsync(new TestOwner { HasAnnex = false });
        for (var i = 0; i < 500; i++)
        {
            await node.AppendAsync(owner);
        }

        gate.SetResult();
        await TestNode.UntilAsync(() => Registry.Describe(owner.Stream.Id).Ranges.Any(range => range.HasCheckpoint && range.Bytes > 2_000));
    }

    [Fact]
    public async Task What_is_durable_does_not_wait_for_a_stream_whose_newest_record_is_not()
    {
        var node = Start(TestNode.Small);
        var (slow, ready) = (await node.CreateAsync(), await node.CreateAsync());
        node.Wal.Hold();
        var appends = new[] { await node.BeginAppendAsync(ready), await node.BeginAppendAsync(slow) };
        node.Wal.Flush(1);
        await appends[0];
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Registry.Describe(ready.Stream.Id).End == 1);
        Assert.False(appends[1].IsCompleted);

        node.Wal.Release();
        await appends[1];
        await node.UploadAsync();
        Assert.Equal(1, Registry.Describe(slow.Stream.Id).End);
    }

    [Fact]
    public async Task A_large_checkpoint_goes_along_once_the_records_since_the_last_are_as_many_bytes()
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync(new TestOwner { CheckpointBytes = 250 });
        for (var i = 0; i < 6; i++)
        {
            await node.AppendAsync(owner, bytes: 100);
            await node.UploadAsync();
        }

        await node.AppendAsync(owner, bytes: 100);
        await owner.Stream.CloseAsync(default);
        Assert.Equal(
            [true, false, false, true, false, false, true],
            Registry.Describe(owner.Stream.Id).Ranges.Select(range => range.HasCheckpoint));
    }
}
