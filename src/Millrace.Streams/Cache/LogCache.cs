using System.Numerics;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Cache;

/// <summary>
/// The newest records of one stream: those not yet uploaded, and uploaded ones that memory permits to keep. A chain of chunks, so that
/// a backlog of any length grows by small pieces and shrinks as its oldest leave; each is a quarter of what is there, so that a
/// stream of three records holds little.
/// </summary>
/// <remarks>Threading: one caller at a time (the stream's lock).</remarks>
/// <param name="stream">Whose records they are.</param>
/// <param name="epoch">Of the owner that appended them.</param>
/// <param name="buffers">Lends memory for their places.</param>
internal sealed class LogCache(StreamId stream, StreamEpoch epoch, BufferPool buffers)
{
    private const int SmallestChunk = 4;

    // 64 KiB, below what the collector treats as large. Of two million records a search then passes a thousand chunks at the very most.
    private const int LargestChunk = 1024;
    private LogChunk? _first;
    private LogChunk? _last;
    private LogChunk? _spare;

    public int Count { get; private set; }

    /// <summary>The newest record's place in the WAL; -1 if there is none.</summary>
    public long LastPosition => _last is { } last ? last.Records[last.End - 1].WalPosition : -1;

    /// <summary>Takes the room that the next <see cref="Add"/> needs, unless it is there. Whatever throws, nothing has changed.</summary>
    public void Reserve()
    {
        if (_spare is null && _last is not { IsFull: false })
        {
            var size = Math.Clamp((int)BitOperations.RoundUpToPowerOf2((uint)Count / 4), SmallestChunk, LargestChunk);
            _spare = new LogChunk(buffers.NewArray<CachedRecord>(size));
        }
    }

    /// <summary>
    /// Adds the record that follows the last one and holds its buffer; returns the memory newly kept alive. Cannot fail after <see cref="Reserve"/>.
    /// </summary>
    public int Add(in CachedRecord record)
    {
        Invariant.Check(_last is not { } newest || newest.Records[newest.End - 1].EndOffset == record.BaseOffset);
        if (_last is not { IsFull: false })
        {
            Append(_spare!);
            _spare = null;
        }

        _last!.Records[_last.End] = record;
        _last.End++;
        Count++;
        return record.Buffer.RetainAccounted() + RecordCost.Cached;
    }

    /// <summary>Finds the record that contains an offset. False if it is older than all, or lies beyond the last.</summary>
    public bool TryFind(long offset, out LogCursor cursor)
    {
        cursor = Seek(offset);
        return cursor.IsAtRecord && cursor.Record.BaseOffset <= offset;
    }

    /// <summary>The first record that ends after an offset.</summary>
    public LogCursor Seek(long offset)
    {
        if (_first is null || _last is null || _last.Records[_last.End - 1].EndOffset <= offset)
        {
            return default;
        }

        // From the end that is nearer: readers stand near the newest, uploads near the oldest.
        var (oldest, newest) = (_first.Records[_first.Start].BaseOffset, _last.Records[_last.End - 1].EndOffset);
        LogChunk chunk;
        if (offset - oldest < newest - offset)
        {
            for (chunk = _first; chunk.Records[chunk.End - 1].EndOffset <= offset;)
            {
                chunk = chunk.Next!;
            }
        }
        else
        {
            for (chunk = _last; chunk.Previous is { } previous && previous.Records[previous.End - 1].EndOffset > offset;)
            {
                chunk = previous;
            }
        }

        var (low, high) = (chunk.Start, chunk.End);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (chunk.Records[middle].EndOffset <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return new LogCursor(chunk, low);
    }

    /// <summary>Reads from a record on, up to an end: at least that one, else up to so many bytes of payload.</summary>
    public StreamRead Read(LogCursor first, long end, int maxBytes)
    {
        var count = 0;
        var bytes = 0L;
        for (var at = first; at.IsAtRecord && at.Record.EndOffset <= end; at.MoveNext())
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
            records[i] = next.Record.ToRecord(stream, epoch);
            holds[i] = next.Record.Buffer.Retain();
            next.MoveNext();
        }

        return read;
    }

    /// <summary>The first record, from one on and up to an end, that has a timestamp of at least this; null if none.</summary>
    public StreamRead? FindByTimestamp(LogCursor first, long end, long timestamp)
    {
        for (var at = first; at.IsAtRecord && at.Record.EndOffset <= end; at.MoveNext())
        {
            if (at.Record.MaxTimestamp >= timestamp)
            {
                // Of no more than one record, since at least one is always read.
                return Read(at, end, maxBytes: 0);
            }
        }

        return null;
    }

    /// <summary>Drops the records that end at or below an offset; returns the memory let go.</summary>
    public long Evict(long endOffset)
    {
        var released = 0L;
        while (_first is { } chunk && chunk.Records[chunk.Start].EndOffset <= endOffset)
        {
            released += chunk.Records[chunk.Start].Buffer.ReleaseAccounted() + RecordCost.Cached;
            chunk.Records[chunk.Start] = default;
            chunk.Start++;
            Count--;
            if (chunk.Start == chunk.End)
            {
                RemoveFirst(chunk);
            }
        }

        return released;
    }

    private void Append(LogChunk chunk)
    {
        chunk.Previous = _last;
        if (_last is null)
        {
            _first = chunk;
        }
        else
        {
            _last.Next = chunk;
        }

        _last = chunk;
    }

    private void RemoveFirst(LogChunk chunk)
    {
        _first = chunk.Next;
        if (_first is null)
        {
            _last = null;
        }
        else
        {
            _first.Previous = null;
        }
    }
}
