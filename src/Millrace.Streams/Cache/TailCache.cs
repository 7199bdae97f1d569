namespace Millrace.Streams.Cache;

/// <summary>
/// Uploaded records that stay in the log cache for readers near the end of their streams. They leave in the order of their
/// uploads: when there are more than the setting allows, and at once when appends wait for memory.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class TailCache(long limit, MemoryBudget budget)
{
    private readonly Lock _lock = new();
    private readonly Queue<(ITailHolder Stream, long EndOffset, long Bytes)> _uploaded = new();
    private long _bytes;

    /// <summary>What they hold.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>A stream's cached records below an offset are uploaded and may go from now on.</summary>
    public void Add(ITailHolder stream, long endOffset, long bytes)
    {
        lock (_lock)
        {
            _uploaded.Enqueue((stream, endOffset, bytes));
            _bytes += bytes;
        }
    }

    /// <summary>Lets go what exceeds the setting, or is needed by those who wait.</summary>
    public void Shrink()
    {
        while (true)
        {
            ITailHolder stream;
            long endOffset;
            lock (_lock)
            {
                if (_uploaded.Count == 0 || (_bytes <= limit && budget.Shortage == 0))
                {
                    return;
                }

                (stream, endOffset, var bytes) = _uploaded.Dequeue();
                _bytes -= bytes;
            }

            stream.EvictUploaded(endOffset);
        }
    }
}
