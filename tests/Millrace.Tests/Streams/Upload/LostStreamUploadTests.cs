using Microsoft.Extensions.Logging;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class LostStreamUploadTests : StreamsTest
{
    [Fact]
    public async Task A_deleted_stream_is_lost_and_the_others_of_the_upload_are_not()
    {
        var (node, deleted, kept) = await StartWithTwoAsync();
        Registry.Delete(deleted.Stream.Id);
        node.Store.Planner.AskForAll();

        Assert.Equal(StreamError.Unknown, await deleted.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await TestNode.UntilAsync(() => node.Wal.Records.Count == 0);
        Assert.Equal([0], await TestNode.ReadAllAsync(kept.Stream, 0));
        Assert.False(kept.Lost.IsCompleted);
    }

    [Fact]
    public async Task A_stream_that_is_deleted_while_its_ranges_are_asked_for_takes_no_other_along()
    {
        var (node, deleted, kept) = await StartWithTwoAsync();
        Registry.Commit(deleted.Stream.Id, 1);
        Registry.Before = call =>
        {
            if (call == "GetRangesAsync")
            {
                Registry.Delete(deleted.Stream.Id);
            }

            return default;
        };
        node.Store.Planner.AskForAll();

        Assert.Equal(StreamError.Unknown, await deleted.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await node.AppendAsync(kept);
        await node.UploadAsync();
        Assert.Equal([0, 1], await TestNode.ReadAllAsync(kept.Stream, 0));
    }

    [Fact]
    public async Task Closing_the_store_closes_the_others_of_a_deleted_stream()
    {
        var (node, deleted, kept) = await StartWithTwoAsync();
        Registry.Delete(deleted.Stream.Id);
        await node.Store.CloseAsync(default);
        Assert.Equal(1, Registry.Describe(kept.Stream.Id).End);
    }

    [Fact]
    public async Task A_gap_in_theRegistry_stops_the_stream_is_reported_and_holds_no_place_in_the_wal()
    {
        var node = Start(TestNode.Small);
        var broken = await node.CreateAsync();
        var healthy = await node.CreateAsync();
        await node.AppendAsync(broken);
        await node.UploadAsync();
        await TestNode.UntilAsync(() => node.Wal.Records.Count == 0);
        Registry.Forget(broken.Stream.Id);
        await node.AppendAsync(broken);
        await node.AppendAsync(healthy);
        var reported = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Before = call => call == "ReportDamageAsync" ? new ValueTask(reported.Task) : default;
        node.Store.Planner.AskForAll();

        Assert.Equal(StreamError.Corrupt, await broken.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await TestNode.UntilAsync(() => Registry.Describe(healthy.Stream.Id).End == 1);
        await node.AppendAsync(healthy);
        await node.UploadAsync();
        // Until the registry knows, the WAL is the only place that shows the gap.
        Assert.Contains(node.Wal.Records, record => record.Stream == broken.Stream.Id);

        reported.SetResult();
        await TestNode.UntilAsync(() => node.Wal.Records.Count == 0);
        Assert.Equal([broken.Stream.Id], Registry.Damaged);
    }

    [Fact]
    public async Task A_lost_streams_records_leave_a_wal_in_which_nothing_else_is_uploaded()
    {
        var node = Start(TestNode.Small);
        var taken = await node.CreateAsync();
        await node.AppendAsync(taken);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Before = call => call == "CommitAsync" ? new ValueTask(gate.Task) : default;
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Storage.KeysAsync().Result.Count == 1);
        // Behind the upload: no upload will ever reach these.
        await node.AppendAsync(taken);
        await node.AppendAsync(taken);
        Registry.GiveUp(taken.Stream.Id);
        gate.SetResult();

        Assert.Equal(StreamError.Fenced, await taken.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await TestNode.UntilAsync(() => node.Wal.Records.Count == 0);
        Assert.Empty(Registry.Damaged);
    }

    [Fact]
    public async Task A_lost_streams_records_that_a_recovery_can_bring_stay_in_the_wal()
    {
        var node = Start(TestNode.Small);
        var lost = await node.CreateAsync();
        var healthy = await node.CreateAsync();
        await node.AppendAsync(lost);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Before = call => call == "CommitAsync" ? new ValueTask(gate.Task) : default;
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Storage.KeysAsync().Result.Count == 1);
        await node.AppendAsync(lost);
        await node.AppendAsync(lost);
        var asked = 0;
        Registry.Before = call => call == "GetRecoverableEndAsync" && Interlocked.Increment(ref asked) > 0 ? default : default;
        Registry.Commit(lost.Stream.Id, 2);
        gate.SetResult();

        Assert.Equal(StreamError.Fenced, await lost.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await TestNode.UntilAsync(() => Volatile.Read(ref asked) == 1);
        await node.AppendAsync(healthy);
        await node.UploadAsync();
        Assert.Equal(2, node.Wal.Records.Count(record => record.Stream == lost.Stream.Id && record.EndOffset > 1));
    }

    [Fact]
    public async Task A_controller_that_is_lost_ends_no_stream_and_the_upload_goes_on_with_the_next()
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner);
        var isLost = true;
        var asked = 0;
        Registry.Before = call => call is "PrepareAsync" or "CommitAsync" && Interlocked.Increment(ref asked) > 0 && Volatile.Read(ref isLost)
            ? throw new StreamException(StreamError.ControllerLost, "Ask the next one")
            : default;
        node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Volatile.Read(ref asked) > 3);

        // What needs no controller goes on meanwhile.
        await node.AppendAsync(owner);
        Assert.Equal(2, owner.Stream.ConfirmOffset);
        Volatile.Write(ref isLost, false);

        await TestNode.UntilAsync(() => Registry.Describe(owner.Stream.Id).End > 0);
        Assert.False(owner.Lost.IsCompleted);
    }

    [Fact]
    public async Task ANode_that_theRegistry_fenced_loses_all_its_streams()
    {
        var node = Start(TestNode.Small);
        var owner = await node.CreateAsync();
        await node.AppendAsync(owner);
        Registry.Fence(node.Incarnation);
        node.Store.Planner.AskForAll();

        Assert.Equal(StreamError.Fenced, await owner.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Single(node.Wal.Records);
        Assert.Equal(0, Registry.Describe(owner.Stream.Id).End);
    }

    [Fact]
    public async Task A_write_that_is_impossible_loses_the_stream_that_makes_it_so_and_no_other()
    {
        var (node, broken, kept) = await StartWithTwoAsync();
        var puts = 0;
        // Both, then the first alone.
        Storage.BeforePut = (_, _) => Interlocked.Increment(ref puts) <= 2 ? throw new ArgumentException("Too large for the test") : default;
        node.Store.Planner.AskForAll();

        Assert.Equal(StreamError.Corrupt, await broken.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        await TestNode.UntilAsync(() => Registry.Describe(kept.Stream.Id).End == 1);
        Assert.Equal(3, puts);
        await node.AppendAsync(kept);
        await node.UploadAsync();
        // Nothing else has it.
        Assert.Contains(node.Wal.Records, record => record.Stream == broken.Stream.Id);
    }

    [Fact]
    public async Task A_deleted_stream_leaves_a_line_for_those_who_look_closely()
    {
        using var log = new RecordedLog();
        await using var node = new TestNode(Registry, Storage, loggers: log);
        Start();
        var deleted = await node.CreateAsync();
        await node.AppendAsync(deleted);
        Registry.Delete(deleted.Stream.Id);
        node.Store.Planner.AskForAll();
        Assert.Equal(StreamError.Unknown, await deleted.Lost.WaitAsync(TimeSpan.FromSeconds(30)));
        var about = Assert.Single(log.Lines, line => line.Values.Any(value => value.Key == "Stream" && Equals(value.Value, deleted.Stream.Id)));
        Assert.Equal(LogLevel.Debug, about.Level);
        Assert.DoesNotContain(log.Lines, line => line.Level > LogLevel.Information);
    }
}
