using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

public sealed class StorageProbeTests : IDisposable
{
    private readonly RealNode _node = new();

    [Fact]
    public async Task A_good_store_passes_and_nothing_of_the_probe_stays()
    {
        var store = new MemoryObjectStorage();
        await CheckAsync(store);
        Assert.Empty(await store.ListAsync("", null, 10, default));
    }

    [Fact]
    public async Task A_store_that_ignores_the_condition_is_refused() => await AssertRefusedAsync(
        new()
        {
            Create = async (store, key, body) =>
            {
                await store.PutAsync(key, body, default);
                return true;
            },
        },
        "let an object be created twice");

    [Fact]
    public async Task A_store_that_does_not_know_the_condition_is_refused() => await AssertRefusedAsync(
        new() { Create = (_, _, _) => throw new ObjectStorageException(ObjectStorageError.Invalid, "501 NotImplemented") }, "501 NotImplemented");

    [Fact]
    public async Task A_store_with_two_winners_in_a_race_is_refused() => await AssertRefusedAsync(
        new()
        {
            // Judges the condition before it has the body, so those that come together all pass.
            Create = async (store, key, body) =>
            {
                var isFree = await store.GetAsync(key, default) is null;
                await Task.Yield();
                if (isFree)
                {
                    await store.PutAsync(key, body, default);
                }

                return isFree;
            },
        },
        "must be one");

    [Fact]
    public async Task A_store_that_refuses_a_new_key_is_refused() =>
        await AssertRefusedAsync(new() { Create = (_, _, _) => ValueTask.FromResult(false) }, "does not exist");

    [Fact]
    public async Task A_store_that_changes_bytes_is_refused() =>
        await AssertRefusedAsync(new() { Got = body => body?[1..] }, "does not read back");

    [Fact]
    public async Task A_store_that_ignores_ranges_is_refused() =>
        await AssertRefusedAsync(new() { Read = count => count * 2 }, "ranged read");

    [Fact]
    public async Task A_store_whose_list_lags_is_refused() =>
        await AssertRefusedAsync(new() { Listed = _ => [] }, "list");

    [Fact]
    public async Task A_store_that_keeps_what_was_deleted_is_refused() =>
        await AssertRefusedAsync(new() { KeepsDeleted = true }, "still there");

    [Fact]
    public async Task Creates_whose_answers_are_lost_prove_nothing_and_nothing_of_them_stays()
    {
        var failures = 20;
        var store = new AdjustedObjectStorage
        {
            Create = async (store, key, body) =>
            {
                // Applied, and the answer lost.
                var created = await store.TryCreateAsync(key, body, default);
                return Interlocked.Decrement(ref failures) % 2 == 0 ? throw Throttled() : created;
            },
        };
        await CheckAsync(store);
        Assert.Empty(await store.ListAsync("", null, 10, default));
    }

    [Fact]
    public async Task A_store_that_refuses_seven_calls_of_ten_passes()
    {
        var lots = new Random(7);
        var store = new AdjustedObjectStorage
        {
            Create = (store, key, body) =>
            {
                lock (lots)
                {
                    return lots.Next(10) < 7 ? throw Throttled() : store.TryCreateAsync(key, body, default);
                }
            },
        };
        await CheckAsync(store);
        Assert.Empty(await store.ListAsync("", null, 10, default));
    }

    [Fact]
    public async Task A_store_that_is_away_is_waited_for()
    {
        var isAway = true;
        var attempts = 0;
        var store = new AdjustedObjectStorage
        {
            Create = (store, key, body) =>
            {
                Interlocked.Increment(ref attempts);
                return Volatile.Read(ref isAway) ? throw Throttled() : store.TryCreateAsync(key, body, default);
            },
        };
        var probe = CheckAsync(store).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => Volatile.Read(ref attempts) > 6));
        Assert.False(probe.IsCompleted);
        Volatile.Write(ref isAway, false);
        await probe;
    }

    [Fact]
    public async Task A_store_that_stays_away_is_reported_with_its_answer_when_patience_ends()
    {
        var store = new AdjustedObjectStorage { Create = (_, _, _) => throw Throttled() };
        var away = await Assert.ThrowsAsync<ObjectStorageException>(
            async () => await StorageProbe.CheckAsync(_node.Runtime, store, TimeSpan.FromMilliseconds(300), default));
        Assert.Equal((ObjectStorageError.Transient, "503 SlowDown"), (away.Error, away.Message));
    }

    [Fact]
    public async Task A_store_that_passes_and_does_not_answer_when_the_probe_is_cleared_away_passes() =>
        await StorageProbe.CheckAsync(_node.Runtime, new AdjustedObjectStorage { IgnoresDeletions = true }, TimeSpan.FromSeconds(2), default);

    [Fact]
    public async Task A_store_that_says_nothing_is_reported_when_patience_ends_and_a_stop_does_not_wait_for_it()
    {
        var store = new AdjustedObjectStorage
        {
            CreateUntil = async (_, token) =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return false;
            },
        };
        var silent = await Assert.ThrowsAsync<ObjectStorageException>(
            async () => await StorageProbe.CheckAsync(_node.Runtime, store, TimeSpan.FromMilliseconds(200), default));
        Assert.Equal(ObjectStorageError.Transient, silent.Error);

        using var stop = new CancellationTokenSource();
        var waiting = StorageProbe.CheckAsync(_node.Runtime, store, Timeout.InfiniteTimeSpan, stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task What_will_not_change_ends_it_at_once()
    {
        foreach (var error in (ObjectStorageError[])[ObjectStorageError.AccessDenied, ObjectStorageError.Invalid])
        {
            var calls = 0;
            var store = new AdjustedObjectStorage
            {
                Create = (_, _, _) =>
                {
                    calls++;
                    throw new ObjectStorageException(error, "no");
                },
            };
            Assert.Equal(error, (await Assert.ThrowsAsync<ObjectStorageException>(async () => await CheckAsync(store))).Error);
            Assert.Equal(1, calls);
        }
    }

    public void Dispose() => _node.Dispose();

    private ValueTask CheckAsync(IObjectStorage store) => StorageProbe.CheckAsync(_node.Runtime, store, Timeout.InfiniteTimeSpan, default);

    private static ObjectStorageException Throttled() => new(ObjectStorageError.Transient, "503 SlowDown");

    private async Task AssertRefusedAsync(AdjustedObjectStorage store, string said)
    {
        var refused = await Assert.ThrowsAsync<ObjectStorageException>(async () => await CheckAsync(store));
        Assert.Equal(ObjectStorageError.Invalid, refused.Error);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith("The store a store cannot be used", refused.Message, StringComparison.Ordinal);
    }
}
