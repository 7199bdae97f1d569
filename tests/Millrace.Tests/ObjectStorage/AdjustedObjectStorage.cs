using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;

namespace Millrace.Tests.ObjectStorage;

/// <summary>A store in memory with some of its answers replaced.</summary>
internal sealed class AdjustedObjectStorage : IObjectStorage
{
    private readonly MemoryObjectStorage _store = new();

    public Func<IObjectStorage, string, ReadOnlySequence<byte>, ValueTask<bool>>? Create { get; init; }

    /// <summary>As <see cref="Create"/>, for those that wait.</summary>
    public Func<long, CancellationToken, ValueTask<bool>>? CreateUntil { get; init; }

    /// <summary>Called before an object is got; may wait or throw.</summary>
    public Func<CancellationToken, ValueTask> BeforeGet { get; set; } = static _ => default;

    public Func<byte[]?, byte[]?>? Got { get; init; }

    public Func<int, int>? Read { get; init; }

    public Func<IReadOnlyList<ObjectEntry>, IReadOnlyList<ObjectEntry>>? Listed { get; init; }

    public bool KeepsDeleted { get; init; }

    /// <summary>Deletions of several objects are never answered.</summary>
    public bool IgnoresDeletions { get; init; }

    public string Name => "a store";

    public StoreTrouble? Trouble { get; set; }

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) =>
        Create?.Invoke(_store, key, body) ?? CreateUntil?.Invoke(body.Length, token) ?? _store.TryCreateAsync(key, body, token);

    public ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) => _store.PutAsync(key, body, token);

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken token)
    {
        await BeforeGet(token);
        var body = await _store.GetAsync(key, token);
        return Got is null ? body : Got(body);
    }

    public async ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        var count = await _store.ReadAsync(key, position, destination, token);
        return Read is null ? count : Read(count);
    }

    public async ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token)
    {
        var found = await _store.ListAsync(prefix, startAfter, limit, token);
        return Listed is null ? found : Listed(found);
    }

    public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) =>
        KeepsDeleted ? ValueTask.CompletedTask
        : IgnoresDeletions && keys.Count > 1 ? new(Task.Delay(Timeout.Infinite, token))
        : _store.DeleteAsync(keys, token);

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        _store.ListUnfinishedUploadsAsync(prefix, token);

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => _store.AbortUploadAsync(upload, token);

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}
