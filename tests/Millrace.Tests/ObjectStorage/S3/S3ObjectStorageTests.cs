using System.Buffers;
using Amazon.Runtime;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.ObjectStorage.S3;

public abstract class S3ObjectStorageTests : ObjectStorageContract
{
    private readonly RealNode _node = new();
    private S3Server? _server;

    [Fact]
    public async Task It_keeps_what_the_probe_asks_for()
    {
        await StorageProbe.CheckAsync(_node.Runtime, Store, Timeout.InfiniteTimeSpan, Token);
        Assert.Empty(await Store.ListAsync("", null, 10, Token));
    }

    [Fact]
    public async Task Lists_and_deletes_go_beyond_a_page()
    {
        string[] keys = [.. Enumerable.Range(0, 1100).Select(i => $"many/{i:D5}")];
        await Parallel.ForEachAsync(keys, Token, async (key, token) => await Store.PutAsync(key, Body("x"), token));
        var first = await Store.ListAsync("many/", null, 1000, Token);
        var second = await Store.ListAsync("many/", first[^1].Key, 1000, Token);
        Assert.Equal(keys, first.Concat(second).Select(entry => entry.Key));
        await Store.DeleteAsync(keys, Token);
        Assert.Empty(await Store.ListAsync("", null, 10, Token));
    }

    [Fact]
    public async Task What_an_upload_that_was_broken_off_leaves_can_be_found_and_given_back()
    {
        await using var store = _server!.Open(_node.Runtime, options => options with { PartBytes = 5 << 20, PartsAtOnce = 1 });
        using var broken = new CancellationTokenSource();
        var body = new ReadOnlySequence<byte>(new byte[40 << 20]);
        var put = store.PutAsync("broken", body, broken.Token).AsTask();

        // MinIO lists the uploads of a whole key only.
        while ((await store.ListUnfinishedUploadsAsync("broken", Token)).Count == 0 && !put.IsCompleted)
        {
            await Task.Yield();
        }

        broken.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put);

        // A part that the server was still taking in survives the abort on some servers, and the upload with it.
        while (await store.ListUnfinishedUploadsAsync("broken", Token) is { Count: > 0 } left)
        {
            Assert.Equal("broken", Assert.Single(left).Key);
            await store.AbortUploadAsync(left[0], Token);
        }

        Assert.Null(await store.GetAsync("broken", Token));
    }

    [Fact]
    public async Task A_missing_bucket_is_invalid_and_says_so()
    {
        await using var store = _server!.Open(_node.Runtime, options => options with { Bucket = "no-such-bucket" });
        var refused = await Assert.ThrowsAsync<ObjectStorageException>(async () =>
            await StorageProbe.CheckAsync(_node.Runtime, store, Timeout.InfiniteTimeSpan, Token));
        Assert.Equal(ObjectStorageError.Invalid, refused.Error);
        Assert.Contains("NoSuchBucket", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_credentials_are_access_denied_and_not_repeated_in_the_message()
    {
        S3Options? copied = null;
        await using (_server!.Open(_node.Runtime, options => copied = options))
        {
        }

        await using var store = new S3ObjectStorage(_node.Runtime, copied!, new BasicAWSCredentials("test", "WRONGSECRET"));
        var refused = await Assert.ThrowsAsync<ObjectStorageException>(async () => await store.TryCreateAsync("key", Body("x"), Token));
        Assert.Equal(ObjectStorageError.AccessDenied, refused.Error);
        Assert.DoesNotContain("WRONGSECRET", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_transient()
    {
        await using var store = _server!.Open(_node.Runtime, options => options with { Endpoint = "http://127.0.0.1:1" });
        var failed = await Assert.ThrowsAsync<ObjectStorageException>(async () => await store.TryCreateAsync("key", Body("x"), Token));
        Assert.Equal(ObjectStorageError.Transient, failed.Error);
    }

    private protected override int LargeBody => 17_345_678;

    private protected abstract Task<S3Server> ServerAsync();

    private protected override async ValueTask<IObjectStorage> OpenAsync()
    {
        _server = await ServerAsync();
        return _server.Open(_node.Runtime, options => options with { PartBytes = 5 << 20 });
    }

    private protected override ValueTask CloseAsync()
    {
        _node.Dispose();
        return ValueTask.CompletedTask;
    }
}
