using Millrace.ObjectStorage;
using Xunit;

namespace Millrace.Tests.ObjectStorage;

public sealed class StorageProbeTests : IDisposable
{
    private readonly RealNode _node = new();

    [Fact]
    public async Task A_good_store_passes_and_nothing_of_the_probe_stays()
    {
        var store = new MemoryObjectStorage();
        await StorageProbe.CheckAsync(_node.Runtime, store, default);
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
    public async Task A_transient_failure_begins_the_probe_anew_and_nothing_of_it_stays()
    {
        var failures = 2;
        var store = new AdjustedObjectStorage
        {
            Create = async (store, key, body) =>
            {
                // Applied, and the answer lost.
                var created = await store.TryCreateAsync(key, body, default);
                return failures-- > 0 ? throw Throttled() : created;
            },
        };
        await StorageProbe.CheckAsync(_node.Runtime, store, default);
        Assert.True(failures < 0);
        Assert.Empty(await store.ListAsync("", null, 10, default));
    }

    [Fact]
    public async Task A_store_that_is_away_is_reported()
    {
        var attempts = 0;
        var store = new AdjustedObjectStorage
        {
            Create = (_, _, _) =>
            {
                attempts++;
                throw Throttled();
            },
        };
        var away = await Assert.ThrowsAsync<ObjectStorageException>(async () => await StorageProbe.CheckAsync(_node.Runtime, store, default));
        Assert.Equal(ObjectStorageError.Transient, away.Error);
        Assert.InRange(attempts, 2, 10);
    }

    public void Dispose() => _node.Dispose();

    private static ObjectStorageException Throttled() => new(ObjectStorageError.Transient, "503 SlowDown");

    private async Task AssertRefusedAsync(AdjustedObjectStorage store, string said)
    {
        var refused = await Assert.ThrowsAsync<ObjectStorageException>(async () => await StorageProbe.CheckAsync(_node.Runtime, store, default));
        Assert.Equal(ObjectStorageError.Invalid, refused.Error);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith("The store a store cannot be used", refused.Message, StringComparison.Ordinal);
    }
}
