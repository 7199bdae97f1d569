using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Streams.Wal.Object;

/// <summary>The objects of a WAL that are acknowledged and not trimmed, in their order.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class KeptObjects
{
    private readonly Lock _lock = new();
    private readonly Queue<(LogPlace Place, long EndAppend)> _kept = new();

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
    /// <param name="endAppend">The position behind its last append.</param>
    public void Add(LogPlace place, long endAppend)
    {
        lock (_lock)
        {
            _kept.Enqueue((place, endAppend));
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
            foreach (var (place, endAppend) in _kept.SkipLast(1))
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
            while (_kept.TryPeek(out var oldest) && oldest.Place < boundary)
            {
                _kept.Dequeue();
            }
        }
    }
}
