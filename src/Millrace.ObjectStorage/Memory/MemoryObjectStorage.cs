using System.Buffers;

namespace Millrace.ObjectStorage.Memory;

/// <summary>A store in this process's memory, for tests and for trying things out: it ends with the process.</summary>
public sealed class MemoryObjectStorage(string name = "memory:") : IObjectStorage
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, byte[]> _bodies = new(StringComparer.Ordinal);

    // The same keys in order, for lists.
    private readonly SortedSet<string> _keys = new(StringComparer.Ordinal);

    public string Name => name;

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        ObjectKey.Check(key);
        var bytes = body.ToArray();
        lock (_lock)
        {
            return ValueTask.FromResult(_bodies.TryAdd(key, bytes) && _keys.Add(key));
        }
    }

    public ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        ObjectKey.Check(key);
        var bytes = body.ToArray();
        lock (_lock)
        {
            _bodies[key] = bytes;
            _keys.Add(key);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token)
    {
        lock (_lock)
        {
            // A copy: the caller owns what it gets, and this store's objects are immutable.
            return ValueTask.FromResult(_bodies.TryGetValue(key, out var body) ? [.. body] : (byte[]?)null);
        }
    }

    public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token)
    {
        lock (_lock)
        {
            if (!_bodies.TryGetValue(key, out var body))
            {
                return ValueTask.FromResult(-1);
            }

            var begin = (int)Math.Min(position, body.Length);
            var count = Math.Min(destination.Length, body.Length - begin);
            body.AsSpan(begin, count).CopyTo(destination.Span);
            return ValueTask.FromResult(count);
        }
    }

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token)
    {
        var found = new List<ObjectEntry>();
        var from = string.CompareOrdinal(startAfter, prefix) > 0 ? startAfter! : prefix;
        var to = prefix + char.MaxValue;
        lock (_lock)
        {
            foreach (var key in string.CompareOrdinal(from, to) < 0 ? _keys.GetViewBetween(from, to) : [])
            {
                if (found.Count == limit)
                {
                    break;
                }

                if (key != startAfter)
                {
                    found.Add(new(key, _bodies[key].Length));
                }
            }
        }

        return ValueTask.FromResult<IReadOnlyList<ObjectEntry>>(found);
    }

    public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token)
    {
        lock (_lock)
        {
            foreach (var key in keys)
            {
                _bodies.Remove(key);
                _keys.Remove(key);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>None: bodies arrive whole.</summary>
    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        ValueTask.FromResult<IReadOnlyList<UnfinishedUpload>>([]);

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
