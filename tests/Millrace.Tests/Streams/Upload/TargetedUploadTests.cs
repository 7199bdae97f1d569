using Millrace.Runtime;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

/// <summary>Uploads of some streams, which leave the others alone, and uploads of several at once, which do not wait for each other.</summary>
public sealed class TargetedUploadTests : StreamsTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Closing_a_stream_uploads_nothing_of_the_others()
    {
        var (_, closing, other) = await StartWithTwoAsync();
        await closing.Stream.CloseAsync(default).AsTask().WaitAsync(Patience);
        Assert.Equal(1, Registry.Describe(closing.Stream.Id).End);
        Assert.Equal(0, Registry.Describe(other.Stream.Id).End);
        Assert.Equal(other.Stream.Id, Assert.Single(Node.Wal.Records).Stream);
        Assert.Equal(1, Registry.Commits);
    }

    [Fact]
    public async Task Streams_that_are_closed_together_share_an_upload_in_which_no_other_has_a_part()
    {
        var owners = await StartAsync(5);
        await Node.Store.CloseAsync([owners[1].Stream, owners[3].Stream, owners[4].Stream], default).AsTask().WaitAsync(Patience);
        Assert.Equal([0, 1, 0, 1, 1], owners.Select(owner => Registry.Describe(owner.Stream.Id).End));
        Assert.Equal(1, Registry.Commits);
        Assert.Equal([owners[0].Stream.Id, owners[2].Stream.Id], Node.Store.Streams.Select(stream => stream.Id));
    }

    [Fact]
    public async Task Streams_are_uploaded_up_to_offsets_while_they_go_on()
    {
        var owners = await StartAsync(3);
        await Node.AppendAsync(owners[0]);
        await Node.Store.UploadAsync([new(owners[0].Stream, 2), new(owners[1].Stream, 1)], default).AsTask().WaitAsync(Patience);
        Assert.Equal([2, 1, 0], owners.Select(owner => Registry.Describe(owner.Stream.Id).End));
        Assert.Equal(1, Registry.Commits);

        // There already: nothing is done about it.
        await Node.Store.UploadAsync([new(owners[0].Stream, 1)], default).AsTask().WaitAsync(Patience);
        Assert.Equal(1, Registry.Commits);
        await Node.AppendAsync(owners[0]);
        Assert.Equal([0, 1, 2], await TestNode.ReadAllAsync(owners[0].Stream, 0));
    }

    [Fact]
    public async Task A_commit_does_not_wait_for_the_WAL_to_be_trimmed_after_the_one_before()
    {
        var (_, owner, _) = await StartWithTwoAsync();
        Node.Wal.BeforeTrim = token => Task.Delay(Timeout.InfiniteTimeSpan, token);
        await owner.Stream.UploadAsync(1, default).AsTask().WaitAsync(Patience);
        await Node.AppendAsync(owner);
        await owner.Stream.UploadAsync(2, default).AsTask().WaitAsync(Patience);
        Assert.Equal((2, 2L, 0L), (Registry.Commits, Registry.Describe(owner.Stream.Id).End, Node.Wal.TrimmedTo));
    }

    [Fact]
    public async Task Nobody_waits_for_an_offset_that_was_not_given_out()
    {
        var (_, owner, _) = await StartWithTwoAsync();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => owner.Stream.UploadAsync(2, default).AsTask());
    }

    [Fact]
    public async Task Whoever_waits_for_an_upload_hears_when_its_stream_is_lost()
    {
        var (_, owner, _) = await StartWithTwoAsync();
        Storage.BeforePut = (_, _) => new(_gate.Task);
        var upload = owner.Stream.UploadAsync(1, default).AsTask();
        owner.Stream.Lose(new StreamException(StreamError.WalFailed, "The owner lost count"));
        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(() => upload.WaitAsync(Patience))).Error);
        _gate.SetResult();
    }

    [Fact]
    public async Task Trimming_a_stream_uploads_nothing_of_the_others()
    {
        var (_, trimmed, other) = await StartWithTwoAsync();
        await trimmed.Stream.TrimAsync(1, default).AsTask().WaitAsync(Patience);
        Assert.Equal(1, Registry.Describe(trimmed.Stream.Id).Start);
        Assert.Equal(0, Registry.Describe(other.Stream.Id).End);
    }

    [Fact]
    public async Task An_upload_that_hangs_holds_up_no_other_stream()
    {
        var (_, stuck, other) = await StartWithTwoAsync();
        await HangAsync(stuck);

        await other.Stream.UploadAsync(1, default).AsTask().WaitAsync(Patience);
        // Not even if all are uploaded, and it has something new.
        await Node.AppendAsync(stuck);
        await Node.AppendAsync(other);
        Node.Store.Planner.AskForAll();
        await TestNode.UntilAsync(() => Registry.Describe(other.Stream.Id).End == 2);
        Assert.Equal(0, Registry.Describe(stuck.Stream.Id).End);

        _gate.SetResult();
        await Node.UploadAsync();
        Assert.Equal([0, 1], await TestNode.ReadAllAsync(stuck.Stream, 0));
    }

    [Fact]
    public async Task However_many_uploads_wait_for_one_that_hangs_there_is_a_place_for_another_streams()
    {
        var (_, stuck, other) = await StartWithTwoAsync();
        await HangAsync(stuck);
        for (var i = 1; i < 3 * Node.Options.UploadsAtOnce; i++)
        {
            await Node.AppendAsync(stuck);
            Node.Store.Planner.Ask(Node.Store.Streams[0].Uploads);
            await other.Stream.UploadAsync(i, default).AsTask().WaitAsync(Patience);
            await Node.AppendAsync(other);
        }

        _gate.SetResult();
        await Node.UploadAsync();
        Assert.Equal(3 * Node.Options.UploadsAtOnce, Registry.Describe(stuck.Stream.Id).End);
        Assert.Equal(3 * Node.Options.UploadsAtOnce, (await TestNode.ReadAllAsync(stuck.Stream, 0)).Count);
    }

    [Fact]
    public async Task A_half_full_wal_has_the_others_uploaded_though_one_hangs()
    {
        var (_, stuck, other) = await StartWithTwoAsync();
        await HangAsync(stuck);
        Node.Wal.Fullness = 0.6;
        try
        {
            for (var i = 0; i < 100; i++)
            {
                await Node.AppendAsync(other, bytes: 1);
            }

            await TestNode.UntilAsync(() => Registry.Describe(other.Stream.Id).End > 1);
            Assert.Equal(0, Registry.Describe(stuck.Stream.Id).End);
        }
        finally
        {
            _gate.SetResult();
        }
    }

    [Fact]
    public async Task The_wal_keeps_the_oldest_record_that_is_not_committed_though_newer_ones_are()
    {
        var owners = await StartAsync(3);
        await HangAsync(owners[1]);
        await owners[2].Stream.UploadAsync(1, default).AsTask().WaitAsync(Patience);
        await owners[0].Stream.UploadAsync(1, default).AsTask().WaitAsync(Patience);
        await TestNode.UntilAsync(() => Node.Wal.Records.Count == 2);
        // The third stands behind it, and has to stay for that.
        Assert.Equal([owners[1].Stream.Id, owners[2].Stream.Id], Node.Wal.Records.Select(record => record.Stream));

        _gate.SetResult();
        await TestNode.UntilAsync(() => Node.Wal.Records.Count == 0);
    }

    [Fact]
    public async Task A_failing_upload_holds_up_no_other_stream()
    {
        var (_, failing, other) = await StartWithTwoAsync();
        string? refused = null;
        Storage.BeforePut = (key, _) =>
        {
            refused ??= key;
            return key == refused && !_gate.Task.IsCompleted ? throw TestStorage.Unavailable : default;
        };
        var upload = failing.Stream.UploadAsync(1, default).AsTask();
        await TestNode.UntilAsync(() => Volatile.Read(ref refused) is not null);
        await other.Stream.UploadAsync(1, default).AsTask().WaitAsync(Patience);
        Assert.False(upload.IsCompleted);
        _gate.SetResult();
        await upload.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_broken_invariant_stops_the_node_at_once_though_an_upload_hangs()
    {
        Start();
        var node = new TestNode(Registry, Storage);
        var (stuck, broken) = (await node.CreateAsync(), await node.CreateAsync());
        await node.AppendAsync(stuck);
        await node.AppendAsync(broken);
        Storage.BeforePut = (_, _) => new(_gate.Task);
        var upload = stuck.Stream.UploadAsync(1, default).AsTask();
        await TestNode.UntilAsync(() => node.Store.Streams[0].Uploads.Before is not null);

        broken.Capturing = () => throw new InvariantViolationException("The owner contradicts itself");
        node.Store.Planner.AskForAll();
        Assert.Contains("contradicts itself", (await node.Runtime.Failed.WaitAsync(Patience)).Message, StringComparison.Ordinal);

        // Whoever ends it then waits for the uploads all the same: they use its memory.
        var ending = node.Store.DisposeAsync().AsTask();
        Assert.False(ending.IsCompleted);
        _gate.SetResult();
        await ending.WaitAsync(Patience);
        await Assert.ThrowsAsync<StreamException>(() => upload);
        node.Runtime.Dispose();
        node.Buffers.Dispose();
    }

    [Fact]
    public async Task What_had_no_room_in_an_upload_goes_in_the_next_ones()
    {
        var node = Start(TestNode.Small with { UploadBytes = 1_000 });
        var owners = new List<TestOwner>();
        for (var i = 0; i < 3; i++)
        {
            owners.Add(await node.CreateAsync(new TestOwner { HasAnnex = false }));
        }

        Registry.Before = call => call == "PrepareAsync" ? new(_gate.Task) : default;
        using (node.Store.Planner.Gather())
        {
            foreach (var owner in owners)
            {
                for (var i = 0; i < 15; i++)
                {
                    await node.AppendAsync(owner);
                }
            }
        }

        _gate.SetResult();
        await node.UploadAsync();
        // 2,000 bytes: one stream and a third. The rest of the second waits for that, and the third for nobody.
        Assert.Equal(3, Registry.Commits);
        Assert.All(owners, owner => Assert.Equal(15, Registry.Describe(owner.Stream.Id).End));
    }

    private async Task HangAsync(TestOwner owner)
    {
        var puts = 0;
        Storage.BeforePut = (_, _) => Interlocked.Increment(ref puts) == 1 ? new(_gate.Task) : default;
        Node.Store.Planner.Ask(Node.Store.Streams.Single(stream => stream.Id == owner.Stream.Id).Uploads);
        await TestNode.UntilAsync(() => Volatile.Read(ref puts) == 1);
    }

    private async Task<List<TestOwner>> StartAsync(int streams)
    {
        Start(TestNode.Small);
        var owners = new List<TestOwner>();
        for (var i = 0; i < streams; i++)
        {
            owners.Add(await Node.CreateAsync());
            await Node.AppendAsync(owners[i]);
        }

        return owners;
    }
}
