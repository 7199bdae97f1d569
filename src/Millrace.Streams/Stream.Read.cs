using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams;

/// <summary>Reading: what is cached from memory, the rest from objects.</summary>
internal sealed partial class Stream
{
    private static readonly StreamRead Nothing = new([]);

    public ValueTask<StreamRead> ReadAsync(long offset, int maxBytes, CancellationToken token)
    {
        lock (_lock)
        {
            ThrowIfEnded_NeedsLock();
            if (offset < _start || offset > _confirm)
            {
                throw new StreamException(StreamError.OffsetOutOfRange, $"Offset {offset} of stream {Id} lies outside [{_start}, {_confirm}]");
            }

            if (offset == _confirm)
            {
                return new(Nothing);
            }

            if (_cache.TryFind(offset, out var first))
            {
                _store.Metrics.LogCacheReads.Add(1);
                return new(ReadCache_NeedsLock(first, maxBytes));
            }
        }

        return _cold.ReadAsync(offset, maxBytes, token);
    }

    public async ValueTask<StreamRead?> FindByTimestampAsync(long timestamp, long fromOffset, CancellationToken token)
    {
        var offset = Math.Max(fromOffset, StartOffset);
        while (true)
        {
            lock (_lock)
            {
                ThrowIfEnded_NeedsLock();
                offset = Math.Max(offset, _start);
                if (offset >= _confirm)
                {
                    return null;
                }

                // What is cached is searched here. What is not lies in objects, and by the time those are searched more may be cached.
                if (_cache.TryFind(offset, out var first))
                {
                    return FindInCache_NeedsLock(first, timestamp);
                }
            }

            var (found, searchedTo) = await _cold.FindByTimestampAsync(offset, timestamp, token);
            if (found is not null)
            {
                return found;
            }

            offset = searchedTo > offset ? searchedTo : throw NotInObjects(offset);
        }
    }

    /// <summary>The committed range that contains an offset; null if none does.</summary>
    internal ObjectRange? FindRange(long offset)
    {
        lock (_lock)
        {
            return _ranges.Find(offset) is var index and >= 0 ? _ranges[index] : null;
        }
    }

    /// <summary>The first committed range that ends after an offset and has a timestamp of at least this; and where all of them end.</summary>
    internal ObjectRange? FindRange(long offset, long timestamp, out long committedEnd)
    {
        lock (_lock)
        {
            committedEnd = _uploaded;
            for (var i = 0; i < _ranges.Count; i++)
            {
                if (_ranges[i].EndOffset > offset && _ranges[i].MaxTimestamp >= timestamp)
                {
                    return _ranges[i];
                }
            }

            return null;
        }
    }

    /// <summary>An object that a range names is gone: asks the registry where its records are now.</summary>
    /// <exception cref="StreamException">Corrupt if the registry says that they are still there.</exception>
    internal async Task RefreshRangesAsync(ObjectId missing, CancellationToken token)
    {
        var loaded = await _store.LoadRangesAsync(Id, StartOffset, token);
        lock (_lock)
        {
            ThrowIfEnded_NeedsLock();
            if (loaded.Any(range => range.Object == missing && range.EndOffset > _start))
            {
                throw DataObjectReader.Corrupt(missing, "the store has no such object");
            }

            // Commits that this node has yet to hear of come by themselves; those it heard of since the answer are kept.
            List<ObjectRange> ranges = [.. loaded.Where(range => range.EndOffset <= _uploaded && range.EndOffset > _start)];
            var end = ranges.Count > 0 ? ranges[^1].EndOffset : _start;
            for (var i = 0; i < _ranges.Count; i++)
            {
                if (_ranges[i].StartOffset >= end)
                {
                    ranges.Add(_ranges[i]);
                }
            }

            _ranges.Replace(ranges);
        }
    }

    /// <summary>Why no object holds an offset that somebody reads.</summary>
    internal StreamException NotInObjects(long offset)
    {
        lock (_lock)
        {
            ThrowIfEnded_NeedsLock();
            return offset < _start
                ? new StreamException(StreamError.OffsetOutOfRange, $"Stream {Id} was trimmed to {_start} while offset {offset} was read")
                : new StreamException(StreamError.Corrupt, $"Neither memory nor an object holds offset {offset} of stream {Id}");
        }
    }

    private StreamRead? FindInCache_NeedsLock(LogCursor first, long timestamp)
    {
        for (var at = first; at.IsAtRecord && at.Record.EndOffset <= _confirm; at.MoveNext())
        {
            if (at.Record.MaxTimestamp >= timestamp)
            {
                // Of no more than one record, since at least one is always read.
                return ReadCache_NeedsLock(at, maxBytes: 0);
            }
        }

        return null;
    }

    private StreamRead ReadCache_NeedsLock(LogCursor first, int maxBytes)
    {
        var count = 0;
        var bytes = 0L;
        for (var at = first; at.IsAtRecord && at.Record.EndOffset <= _confirm; at.MoveNext())
        {
            bytes += at.Record.Payload.Length;
            if (count > 0 && (bytes > maxBytes || maxBytes <= 0))
            {
                break;
            }

            count++;
        }

        // Both before the first is held.
        var records = new StreamRecord[count];
        var holds = new PooledBuffer[count];
        var read = new StreamRead(records, () =>
        {
            foreach (var hold in holds)
            {
                hold.Release();
            }
        });
        var next = first;
        for (var i = 0; i < count; i++)
        {
            records[i] = next.Record.ToRecord(Id, Epoch);
            holds[i] = next.Record.Buffer.Retain();
            next.MoveNext();
        }

        return read;
    }
}
