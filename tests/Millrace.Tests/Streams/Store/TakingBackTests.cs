using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Store;

/// <summary>Streams that are taken back while they are handed over: as long as the registry has not been asked, nobody can have them.</summary>
public sealed class TakingBackTests : StreamsTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _patience = new();
    private int _handedOver;

    [Fact]
    public async Task One_whose_object_is_being_written_goes_on_and_the_object_counts_as_any_other()
    {
        var owner = await StartAsync();
        var handingOver = await HoldPutAsync(owner);
        Assert.False(owner.Stream.MayHaveMoved);
        await GiveUpAsync(handingOver);

        Assert.True(owner.Stream.TryTakeBack());

        await Node.AppendAsync(owner);
        Assert.Equal([0, 1], await TestNode.ReadAllAsync(owner.Stream, 0));
        _held.SetResult();
        await owner.Stream.UploadAsync(2, default).AsTask().WaitAsync(Patience);
        Assert.Equal((2L, 0), (Registry.Describe(owner.Stream.Id).End, _handedOver));
        Assert.False(owner.Stream.MayHaveMoved);

        // It may go later.
        await owner.Stream.HandOverAsync(default).AsTask().WaitAsync(Patience);
        Assert.Equal((1, true), (_handedOver, owner.Stream.MayHaveMoved));
    }

    [Fact]
    public async Task It_is_too_late_once_the_registry_is_asked_in_the_commit()
    {
        var owner = await StartAsync();
        HoldCall("CommitAsync");
        var handingOver = owner.Stream.HandOverAsync(_patience.Token).AsTask();
        await _reached.Task.WaitAsync(Patience);
        await GiveUpAsync(handingOver);

        Assert.True(owner.Stream.MayHaveMoved);
        Assert.False(owner.Stream.TryTakeBack());

        _held.SetResult();
        await owner.Stream.HandOverAsync(default).AsTask().WaitAsync(Patience);
        Assert.Equal(1, _handedOver);
        Assert.False(owner.Stream.TryTakeBack());
    }

    [Fact]
    public async Task It_is_too_late_once_the_registry_is_asked_by_itself()
    {
        var owner = await StartAsync();
        await owner.Stream.UploadAsync(1, default).AsTask().WaitAsync(Patience);
        await owner.Stream.TrimAsync(1, default);
        HoldCall("CloseAsync");
        var handingOver = owner.Stream.HandOverAsync(_patience.Token).AsTask();
        await _reached.Task.WaitAsync(Patience);
        _patience.Cancel();

        Assert.True(owner.Stream.MayHaveMoved);
        Assert.False(owner.Stream.TryTakeBack());
        _held.SetResult();
        try
        {
            await handingOver.WaitAsync(Patience);
        }
        catch (OperationCanceledException)
        {
            await owner.Stream.HandOverAsync(default).AsTask().WaitAsync(Patience);
        }

        Assert.Equal(1, _handedOver);
        Assert.False(owner.Stream.TryTakeBack());
    }

    [Fact]
    public async Task An_upload_from_before_closes_nothing_that_has_come_since_when_the_stream_is_handed_over_again()
    {
        var owner = await StartAsync();
        await GiveUpAsync(await HoldPutAsync(owner));
        Assert.True(owner.Stream.TryTakeBack());
        await Node.AppendAsync(owner);

        var again = owner.Stream.HandOverAsync(default).AsTask();
        _held.SetResult();
        await again.WaitAsync(Patience);
        Assert.Equal((2L, 1), (Registry.Describe(owner.Stream.Id).End, _handedOver));
    }

    [Fact]
    public async Task Where_the_wal_hangs_too_what_comes_next_waits_for_what_the_upload_has_taken()
    {
        var owner = await StartAsync();
        Node.Wal.Hold();
        var unconfirmed = await Node.BeginAppendAsync(owner);
        await GiveUpAsync(await HoldPutAsync(owner));
        Assert.True(owner.Stream.TryTakeBack());
        var later = await Node.BeginAppendAsync(owner);

        // Longer than an upload waits for the newest records: it has nothing to take, and tries again.
        var upload = owner.Stream.UploadAsync(3, default).AsTask();
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        Assert.False(unconfirmed.IsCompleted || later.IsCompleted || upload.IsCompleted);

        Node.Wal.Release();
        _held.SetResult();
        await upload.WaitAsync(Patience);
        await unconfirmed.WaitAsync(Patience);
        await later.WaitAsync(Patience);
        Assert.Equal((3L, 0), (Registry.Describe(owner.Stream.Id).End, _handedOver));
        Assert.Equal([0, 1, 2], await TestNode.ReadAllAsync(owner.Stream, 0));
    }

    [Fact]
    public async Task One_that_is_lost_while_it_waits_tells_nothing_any_more()
    {
        var owner = await StartAsync();
        var handingOver = await HoldPutAsync(owner);
        Node.Store.Streams.Single().Lose(new StreamException(StreamError.Fenced, "taken away"));
        Assert.True(owner.Stream.MayHaveMoved);
        Assert.False(owner.Stream.TryTakeBack());
        _held.SetResult();
        Assert.Equal(StreamError.Fenced, (await Assert.ThrowsAsync<StreamException>(() => handingOver.WaitAsync(Patience))).Error);
    }

    [Fact]
    public async Task One_that_somebody_closes_is_not_taken_back()
    {
        var owner = await StartAsync();
        var handingOver = await HoldPutAsync(owner);
        var closing = owner.Stream.CloseAsync(default).AsTask();
        await GiveUpAsync(handingOver);
        Assert.False(owner.Stream.TryTakeBack());
        _held.SetResult();
        await closing.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_is_taken_back_and_asked_for_at_the_same_time_is_one_or_the_other()
    {
        var owner = await StartAsync();
        for (var round = 1; round <= 200; round++)
        {
            var stream = owner.Stream;
            var core = Node.Store.Streams.Single().Core;
            lock (core.Lock)
            {
                core.Life.BeginClosing(handsOver: true);
            }

            using var together = new Barrier(2);
            var asking = Task.Run(() =>
            {
                together.SignalAndWait();
                return core.AskToClose(stream.NextOffset) is not null;
            });
            together.SignalAndWait();
            var isTakenBack = stream.TryTakeBack();
            Assert.NotEqual(isTakenBack, await asking.WaitAsync(Patience));
            if (!isTakenBack)
            {
                await stream.HandOverAsync(default).AsTask().WaitAsync(Patience);
                owner = await Node.OpenAsync(stream.Id, epoch: round + 1);
            }

            await Node.AppendAsync(owner);
        }
    }

    private async Task<TestOwner> StartAsync()
    {
        // No upload begins by itself: it would ask, too.
        Start(TestNode.Small with { UploadBytes = 1 << 30 });
        Registry.HandedOver = _ => _handedOver++;
        var owner = await Node.CreateAsync();
        await Node.AppendAsync(owner);
        return owner;
    }

    private async Task<Task> HoldPutAsync(TestOwner owner)
    {
        Storage.BeforePut = async (_, _) =>
        {
            _reached.TrySetResult();
            await _held.Task;
        };
        var handingOver = owner.Stream.HandOverAsync(_patience.Token).AsTask();
        await _reached.Task.WaitAsync(Patience);
        return handingOver;
    }

    private void HoldCall(string name) => Registry.Before = async call =>
    {
        if (call == name)
        {
            _reached.TrySetResult();
            await _held.Task;
        }
    };

    private async Task GiveUpAsync(Task handingOver)
    {
        _patience.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => handingOver.WaitAsync(Patience));
    }
}
