using System.Buffers;
using Millrace.ObjectStorage;

namespace Millrace.Benchmarks.Opening;

/// <summary>Another store, each call to which takes at least so long; it counts them.</summary>
internal sealed class DistantStorage(IObjectStorage inner) : IObjectStorage
{
    private long _reads;
    private long _bytesRead;
    private long _lists;
    private long _writes;
    private long _entries;

    /// <summary>What the way there and back takes.</summary>
    public TimeSpan Latency { get; set; }

    public string Name => inner.Name;

    /// <summary>The calls so far.</summary>
    public StorageCalls Calls => new(
        Interlocked.Read(ref _reads),
        Interlocked.Read(ref _bytesRead),
        Interlocked.Read(ref _lists),
        Interlocked.Read(ref _writes),
        Interlocked.Read(ref _entries));

    public async ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        Interlocked.Increment(ref _writes);
        if (key.StartsWith("meta/LOG/", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _entries);
        }

        await TravelAsync(token);
        return await inner.TryCreateAsync(key, body, token);
    }

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        Interlocked.Increment(ref _writes);
        await TravelAsync(token);
        await inner.PutAsync(key, body, token);
    }

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken token)
    {
        Interlocked.Increment(ref _reads);
        await TravelAsync(token);
        var body = await inner.GetAsync(key, token);
        Interlocked.Add(ref _bytesRead, body?.Length ?? 0);
        return body;
    }

    public async ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        Interlocked.Increment(ref _reads);
        Interlocked.Add(ref _bytesRead, destination.Length);
        await TravelAsync(token);
        return await inner.ReadAsync(key, position, destination, token);
    }

    public async ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token)
    {
        Interlocked.Increment(ref _lists);
        await TravelAsync(token);
        return await inner.ListAsync(prefix, startAfter, limit, token);
    }

    public async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token)
    {
        await TravelAsync(token);
        await inner.DeleteAsync(keys, token);
    }

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        inner.ListUnfinishedUploadsAsync(prefix, token);

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => inner.AbortUploadAsync(upload, token);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private Task TravelAsync(CancellationToken token) => Latency > TimeSpan.Zero ? Task.Delay(Latency, token) : Task.CompletedTask;
}
