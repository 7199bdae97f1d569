using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Streams.Wal.Object;

/// <summary>The objects of a WAL that are acknowledged and not trimmed, in their order.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class KeptObjects
{
    private readonly Lock _lock = new();
    private readonly List<(LogPlace Place, long FirstAppend, long EndAppend)> _kept = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _kept.Count;
            }
        }
    }

    /// <summary>Takes in the next one.</summary>
    /// <param name="place">Where it is.</param>
    /// <param name="firstAppend">The position of its first append.</param>
    /// <param name="endAppend">The position behind its last append.</param>
    public void Add(LogPlace place, long firstAppend, long endAppend)
    {
        lock (_lock)
        {
            _kept.Add((place, firstAppend, endAppend));
        }
    }

    /// <summary>The object that holds the append at a position, and the position behind its last one; null if none does, or no longer.</summary>
    public (LogPlace Place, long EndAppend)? Find(long position)
    {
        lock (_lock)
        {
            var (low, high) = (0, _kept.Count);
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (_kept[middle].EndAppend <= position)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low < _kept.Count && _kept[low].FirstAppend <= position ? (_kept[low].Place, _kept[low].EndAppend) : null;
        }
    }

    /// <summary>
    /// The place below which nothing is needed, or null if nothing can go. Never above the newest acknowledged object: an open
    /// term keeps that, so that whoever seals it knows where it is.
    /// </summary>
    /// <param name="position">Of the first append that is needed.</param>
    public LogPlace? FindBoundary(long position)
    {
        lock (_lock)
        {
            LogPlace? boundary = null;
            foreach (var (place, _, endAppend) in _kept.SkipLast(1))
            {
                if (endAppend > position)
                {
                    break;
                }

                boundary = place.Next;
            }

            return boundary;
        }
    }

    /// <summary>All below a place were trimmed.</summary>
    public void Forget(LogPlace boundary)
    {
        lock (_lock)
        {
            var gone = 0;
            while (gone < _kept.Count && _kept[gone].Place < boundary)
            {
                gone++;
            }

            _kept.RemoveRange(0, gone);
        }
    }
}
