using System.Buffers;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Broker.Following;

/// <summary>The newest batches of a followed partition, in order and without a gap, within a bound of memory.</summary>
/// <remarks>
/// What comes together lies in one piece of memory, which goes with the last of its batches: readers hold what they read for as long as they need it.
/// Threading: any thread; one at a time changes it.
/// </remarks>
/// <param name="buffers">Lends the memory.</param>
internal sealed class FollowedTail(BufferPool buffers) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<TailBatch> _batches = [];

    // Before it they are dropped, and not removed yet.
    private int _oldest;
    private long _end;

    // How many bytes have come in all.
    private long _position;

    /// <summary>Where the next batch begins; below it, and down to <see cref="Start"/>, all is here.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>The first offset that is here; <see cref="End"/> where none is.</summary>
    public long Start
    {
        get
        {
            lock (_lock)
            {
                return _oldest < _batches.Count ? _batches[_oldest].BaseOffset : _end;
            }
        }
    }

    /// <summary>Memory that is held, by what its pieces take.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>How many bytes are here of what lies at and behind an offset.</summary>
    public long BytesFrom(long offset)
    {
        lock (_lock)
        {
            var first = Find_NeedsLock(offset);
            return first == _batches.Count ? 0 : _position - _batches[first].EndPosition + _batches[first].Bytes.Length;
        }
    }

    /// <summary>Adds the batches that follow, and drops the oldest as far as the bound asks for that: all but the last piece at most.</summary>
    /// <param name="records">Whole batches.</param>
    /// <param name="limit">Of memory, in bytes.</param>
    /// <returns>How many bytes were added.</returns>
    /// <exception cref="ProtocolException">They are no batches, or do not follow; nothing was added.</exception>
    /// <exception cref="OutOfMemoryException">Nothing was added.</exception>
    public int Append(ReadOnlySequence<byte> records, long limit)
    {
        if (records.IsEmpty)
        {
            return 0;
        }

        var piece = buffers.Rent(checked((int)records.Length));
        try
        {
            records.CopyTo(piece.GetSpan());
            return Append(piece, limit);
        }
        finally
        {
            piece.Release();
        }
    }

    /// <summary>Forgets all, and goes on at an offset.</summary>
    public void Reset(long end)
    {
        lock (_lock)
        {
            while (_oldest < _batches.Count)
            {
                DropOldest_NeedsLock();
            }

            Volatile.Write(ref _end, end);
        }
    }

    /// <summary>Reads batches from the one that contains an offset on: at least that one, else up to so many bytes.</summary>
    /// <returns>Null if it is not here.</returns>
    public StreamRead? TryRead(long offset, int maxBytes)
    {
        lock (_lock)
        {
            if (_oldest == _batches.Count || offset < _batches[_oldest].BaseOffset || offset >= _end)
            {
                return null;
            }

            var (records, holds) = (new List<StreamRecord>(), new List<PooledBuffer>());
            var bytes = 0L;
            for (var i = Find_NeedsLock(offset); i < _batches.Count; i++)
            {
                var batch = _batches[i];
                bytes += batch.Bytes.Length;
                if (records.Count > 0 && bytes > maxBytes)
                {
                    break;
                }

                records.Add(new StreamRecord(default, default, batch.BaseOffset, batch.EndOffset - batch.BaseOffset, -1, batch.Bytes));
                holds.Add(batch.Holder.Retain());
            }

            return new StreamRead(records, () => holds.ForEach(static hold => hold.Release()));
        }
    }

    public void Dispose() => Reset(End);

    private int Append(PooledBuffer piece, long limit)
    {
        // Looked at as a whole before any of it counts.
        var batches = RecordBatch.Split(piece.Memory).ToList();
        lock (_lock)
        {
            // The first of all contains the offset that was asked for, and may begin before it.
            var isFirst = _oldest == _batches.Count && batches.Count > 0 && batches[0].Header.NextOffset > _end;
            var next = isFirst ? batches[0].Header.BaseOffset : _end;
            foreach (var batch in batches)
            {
                if (batch.Header.BaseOffset != next || batch.Header.NextOffset <= next)
                {
                    throw new ProtocolException($"A batch at {batch.Header.BaseOffset} comes where {next} should");
                }

                next = batch.Header.NextOffset;
            }

            if (batches.Sum(batch => batch.Bytes.Length) != piece.Length)
            {
                throw new ProtocolException("Batches end in the middle of one");
            }

            _batches.EnsureCapacity(_batches.Count + batches.Count);
            foreach (var batch in batches)
            {
                HeldBytes += piece.RetainAccounted();
                _position += batch.Bytes.Length;
                _batches.Add(new TailBatch(batch.Header.BaseOffset, batch.Header.NextOffset, batch.Bytes, _position, piece));
            }

            Volatile.Write(ref _end, next);
            while (HeldBytes > limit && !ReferenceEquals(_batches[_oldest].Holder, piece))
            {
                DropOldest_NeedsLock();
            }
        }

        return piece.Length;
    }

    /// <summary>The first batch that ends after an offset.</summary>
    private int Find_NeedsLock(long offset)
    {
        var (low, high) = (_oldest, _batches.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_batches[middle].EndOffset <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void DropOldest_NeedsLock()
    {
        HeldBytes -= _batches[_oldest].Holder.ReleaseAccounted();
        _batches[_oldest++] = default;
        if (_oldest > _batches.Count / 2)
        {
            _batches.RemoveRange(0, _oldest);
            _oldest = 0;
        }
    }
}
