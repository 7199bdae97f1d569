using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;

namespace Millrace.Tests.Streams;

/// <summary>An object store in memory that counts calls and lets a test delay, fail and damage things.</summary>
internal sealed class TestStorage : IObjectStorage
{
    private readonly MemoryObjectStorage _inner = new();
    private int _reads;

    /// <summary>Called before each write with its key; may wait or throw.</summary>
    public Func<string, CancellationToken, ValueTask> BeforePut { get; set; } = (_, _) => default;

    /// <summary>Called before each read with its key; may wait or throw.</summary>
    public Func<string, ValueTask> BeforeRead { get; set; } = _ => default;

    public int Reads => Volatile.Read(ref _reads);

    public string Name => "test:";

    public static ObjectStorageException Unavailable { get; } = new(ObjectStorageError.Transient, "503 from the test");

    public async ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        await BeforePut(key, token);
        return await _inner.TryCreateAsync(key, body, token);
    }

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        await BeforePut(key, token);
        await _inner.PutAsync(key, body, token);
    }

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token) => _inner.GetAsync(key, token);

    public async ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        Interlocked.Increment(ref _reads);
        await BeforeRead(key);
        return await _inner.ReadAsync(key, position, destination, token);
    }

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        _inner.ListAsync(prefix, startAfter, limit, token);

    public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) => _inner.DeleteAsync(keys, token);

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        _inner.ListUnfinishedUploadsAsync(prefix, token);

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => _inner.AbortUploadAsync(upload, token);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    public async Task<List<string>> KeysAsync() => [.. (await ListAsync("", null, 1000, default)).Select(entry => entry.Key)];

    /// <summary>Flips one bit of an object.</summary>
    public async Task DamageAsync(string key, long position)
    {
        var body = (await GetAsync(key, default))!;
        body[position] ^= 1;
        await _inner.PutAsync(key, new ReadOnlySequence<byte>(body), default);
    }
}
