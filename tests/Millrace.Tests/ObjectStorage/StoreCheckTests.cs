using Millrace.ObjectStorage;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

public sealed class StoreCheckTests : IAsyncDisposable
{
    private readonly RealNode _node = new();
    private readonly TestStorage _storage = new();
    private readonly StoreCheck _check;

    public StoreCheckTests() => _check = new StoreCheck(_node.Runtime, _storage);

    [Fact]
    public async Task A_write_that_is_answered_leaves_nothing()
    {
        Assert.Equal(StoreAnswer.Done, await _check.AskAsync(default));
        Assert.True(await _check.TakesWritesAsync(default));
        Assert.False(_check.MayHaveLeft);
        Assert.Empty(await _storage.KeysAsync());
    }

    [Theory]
    [InlineData(ObjectStorageError.AccessDenied, false)]
    [InlineData(ObjectStorageError.Transient, true)]
    public async Task A_store_that_may_not_be_written_to_or_is_full_answers_and_takes_no_writes(ObjectStorageError error, bool isForWantOfRoom)
    {
        _storage.BeforePut = (_, _) => throw new ObjectStorageException(error, "no") { IsForWantOfRoom = isForWantOfRoom };

        Assert.Equal(StoreAnswer.Refused, await _check.AskAsync(default));
        Assert.False(await _check.TakesWritesAsync(default));
        Assert.False(_check.MayHaveLeft);
    }

    [Fact]
    public async Task A_store_that_is_silent_is_not_waited_for_and_may_have_something_left_until_it_answers()
    {
        _storage.BeforePut = (_, token) => new(Task.Delay(Timeout.Infinite, token));
        Assert.Equal(StoreAnswer.None, await _check.AskAsync(default));
        Assert.True(_check.MayHaveLeft);

        _storage.BeforePut = (_, _) => throw TestStorage.Unavailable;
        Assert.False(await _check.TakesWritesAsync(default));
        Assert.True(_check.MayHaveLeft);

        _storage.BeforePut = (_, _) => default;
        Assert.True(await _check.TakesWritesAsync(default));
        Assert.False(_check.MayHaveLeft);
    }

    [Fact]
    public async Task Whoever_gives_up_gives_up_the_question()
    {
        using var giveUp = new CancellationTokenSource();
        _storage.BeforePut = async (_, token) =>
        {
            await giveUp.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _check.AskAsync(giveUp.Token));
    }

    public async ValueTask DisposeAsync()
    {
        await _storage.DisposeAsync();
        _node.Dispose();
    }
}
