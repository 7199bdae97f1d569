using System.Buffers;
using Millrace.ObjectStorage;

namespace Millrace.Tests.ObjectStorage;

/// <summary>Another store, with its reads and the entries of the metadata log counted.</summary>
internal sealed class CountedStorage(IObjectStorage inner) : IObjectStorage
{
    private long _reads;
    private long _entries;

    public long Reads => Interlocked.Read(ref _reads);

    public long Entries => Interlocked.Read(ref _entries);

    public string Name => inner.Name;

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        Interlocked.Add(ref _entries, key.StartsWith("meta/LOG/", StringComparison.Ordinal) ? 1 : 0);
        return inner.TryCreateAsync(key, body, token);
    }

    public ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) => inner.PutAsync(key, body, token);

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token)
    {
        Interlocked.Increment(ref _reads);
        return inner.GetAsync(key, token);
    }

    public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        // Whoever owns the metadata log looks at it once a second.
        Interlocked.Add(ref _reads, key.StartsWith("meta/", StringComparison.Ordinal) ? 0 : 1);
        return inner.ReadAsync(key, position, destination, token);
    }

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        inner.ListAsync(prefix, startAfter, limit, token);

    public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) => inner.DeleteAsync(keys, token);

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        inner.ListUnfinishedUploadsAsync(prefix, token);

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => inner.AbortUploadAsync(upload, token);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
