using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Cache;

/// <summary>The indexes of objects, least recently used first out. Several readers that miss the same one wait for one read.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="reader">Reads what is missing.</param>
/// <param name="limit">Bytes of index, as encoded.</param>
/// <param name="stopping">Ends reads under way: they serve several waiters and belong to none.</param>
internal sealed class ObjectIndexCache(DataObjectReader reader, long limit, CancellationToken stopping)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectId, LinkedListNode<DataObjectIndex>> _known = [];
    private readonly Dictionary<ObjectId, Task<DataObjectIndex?>> _reading = [];
    private readonly LinkedList<DataObjectIndex> _byUse = new();
    private long _bytes;

    /// <summary>An object's index; null if there is no such object.</summary>
    /// <exception cref="StreamException">StorageUnavailable, Corrupt, Closed.</exception>
    public ValueTask<DataObjectIndex?> GetAsync(ObjectId id, long objectSize, CancellationToken token)
    {
        Task<DataObjectIndex?>? reading;
        lock (_lock)
        {
            if (_known.TryGetValue(id, out var known))
            {
                _byUse.Remove(known);
                _byUse.AddLast(known);
                return new(known.Value);
            }

            // One that ended just before it was listed stays listed; what it met may have passed.
            if (_reading.TryGetValue(id, out reading) && !reading.IsCompleted)
            {
                return new(reading.OrCancelled(token));
            }
        }

        // Begun without the lock; should two begin at once, both are right.
        reading = ReadAsync(id, objectSize);
        lock (_lock)
        {
            if (!reading.IsCompleted)
            {
                _reading[id] = reading;
            }
        }

        return new(reading.OrCancelled(token));
    }

    public void Add(DataObjectIndex index)
    {
        lock (_lock)
        {
            if (_known.ContainsKey(index.Object))
            {
                return;
            }

            _known.Add(index.Object, _byUse.AddLast(index));
            _bytes += index.EncodedSize;
            while (_bytes > limit && _byUse.First is { } oldest && oldest.Value != index)
            {
                _byUse.RemoveFirst();
                _known.Remove(oldest.Value.Object);
                _bytes -= oldest.Value.EncodedSize;
            }
        }
    }

    private async Task<DataObjectIndex?> ReadAsync(ObjectId id, long objectSize)
    {
        try
        {
            var index = await reader.ReadIndexAsync(id, objectSize, stopping);
            if (index is not null)
            {
                Add(index);
            }

            return index;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw DataObjectReader.Stopped();
        }
        finally
        {
            lock (_lock)
            {
                _reading.Remove(id);
            }
        }
    }
}
