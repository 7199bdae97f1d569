using System.Buffers;
using Amazon.Runtime;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.ObjectStorage.S3;

/// <summary>The S3 store over servers that say nothing.</summary>
public sealed class S3WithoutAnswersTests : IDisposable
{
    private readonly RealNode _node = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_in_parts_that_is_given_up_does_not_wait_for_its_abort()
    {
        const string Begun = "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>";
        await using var server = new ScriptedServer(request => request.HttpMethod == "POST" ? (200, Begun) : null);
        await using var store = Open(server, TimeSpan.FromMinutes(10));
        using var stop = new CancellationTokenSource();
        var put = store.PutAsync("k", new ReadOnlySequence<byte>(new byte[11 << 20]), stop.Token).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Requests.Any(request => request.StartsWith("PUT", StringComparison.Ordinal))));

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put.WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.Contains(server.Requests, request => request.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_is_never_answered_ends_and_names_the_endpoint()
    {
        await using var server = new ScriptedServer(_ => null);
        await using var store = Open(server, TimeSpan.FromMilliseconds(200));
        Func<Task>[] calls =
        [
            () => store.TryCreateAsync("k", new([1]), Token).AsTask(),
            () => store.PutAsync("k", new([1]), Token).AsTask(),
            () => store.ReadAsync("k", 0, new byte[1], Token).AsTask(),
            () => store.ListAsync("k", null, 1, Token).AsTask(),
            () => store.DeleteAsync(["k"], Token).AsTask(),
            () => store.ListUnfinishedUploadsAsync("k", Token).AsTask(),
        ];
        foreach (var call in calls)
        {
            var silent = await Assert.ThrowsAsync<ObjectStorageException>(() => call().WaitAsync(TimeSpan.FromSeconds(60), Token));
            Assert.Equal(ObjectStorageError.Transient, silent.Error);
            Assert.Contains(server.Endpoint, silent.Message, StringComparison.Ordinal);
            Assert.Contains("no answer within", silent.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_that_took_the_client_for_gone_is_asked_again()
    {
        var asked = 0;
        await using var server = new ScriptedServer(_ => (Interlocked.Increment(ref asked) == 1 ? 499 : 200, ""));
        await using var store = Open(server, TimeSpan.FromSeconds(30));
        await store.PutAsync("k", new([1]), Token);
        Assert.Equal(2, asked);
    }

    [Theory]
    [InlineData(0, 1, 15)]
    [InlineData(4 << 20, 1, 31)]
    [InlineData(4 << 20, 2, 47)]
    [InlineData(4 << 20, 100, 271)]
    public void A_call_gets_time_for_its_bytes_and_more_of_it_with_each_attempt(long bytes, int attempt, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), CallLimit.For(TimeSpan.FromSeconds(15), bytes, attempt));

    public void Dispose() => _node.Dispose();

    private S3ObjectStorage Open(ScriptedServer server, TimeSpan timeout) => new(
        _node.Runtime,
        new S3Options { Bucket = "b", Endpoint = server.Endpoint, UsePathStyle = true, PartBytes = 5 << 20, RequestTimeout = timeout },
        new BasicAWSCredentials("a", "b"));
}
