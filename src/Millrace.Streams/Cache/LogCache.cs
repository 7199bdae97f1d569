using System.Numerics;
using Millrace.Runtime;

namespace Millrace.Streams.Cache;

/// <summary>
/// The newest records of one stream: those not yet uploaded, and uploaded ones that memory permits to keep. A ring that
/// grows, so that adding allocates nothing as a rule, looking up is a binary search, and the oldest leave first.
/// </summary>
/// <remarks>Threading: one caller at a time (the stream's lock).</remarks>
internal sealed class LogCache
{
    private CachedRecord[] _ring = [];
    private int _head;

    public int Count { get; private set; }

    public ref readonly CachedRecord this[int index] => ref _ring[(_head + index) & (_ring.Length - 1)];

    /// <summary>Adds the record that follows the last one and holds its buffer; returns the memory newly kept alive.</summary>
    public int Add(in CachedRecord record)
    {
        Invariant.Check(Count == 0 || this[Count - 1].EndOffset == record.BaseOffset);
        if (Count == _ring.Length)
        {
            Resize(Math.Max(16, Count * 2));
        }

        _ring[(_head + Count) & (_ring.Length - 1)] = record;
        Count++;
        return record.Buffer.RetainAccounted();
    }

    /// <summary>The record that contains an offset; -1 if it is older than all, <see cref="Count"/> if it lies beyond the last.</summary>
    public int Find(long offset)
    {
        if (Count == 0 || offset < this[0].BaseOffset)
        {
            return -1;
        }

        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (this[middle].EndOffset <= offset)
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

    /// <summary>Drops the records that end at or below an offset; returns the memory let go.</summary>
    public long Evict(long endOffset)
    {
        var released = 0L;
        while (Count > 0 && this[0].EndOffset <= endOffset)
        {
            released += this[0].Buffer.ReleaseAccounted();
            _ring[_head] = default;
            _head = (_head + 1) & (_ring.Length - 1);
            Count--;
        }

        // A burst must not leave a large ring behind for ever.
        if (_ring.Length > 1024 && Count < _ring.Length / 8)
        {
            Resize((int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, Count * 2)));
        }

        return released;
    }

    private void Resize(int size)
    {
        var ring = new CachedRecord[size];
        for (var i = 0; i < Count; i++)
        {
            ring[i] = this[i];
        }

        (_ring, _head) = (ring, 0);
    }
}
