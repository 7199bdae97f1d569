namespace Millrace.Streams.Cache;

/// <summary>
/// Uploaded records that stay in the log cache for readers near the end of their streams. They leave in the order of their
/// uploads: when there are more than the setting allows, and at once when appends wait for memory.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class TailCache(long limit, MemoryBudget budget)
{
    private readonly Lock _lock = new();
    private readonly Queue<(TailPart Part, long EndOffset, long Bytes)> _uploaded = new();
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

    /// <summary>A stream's cached records below an offset are uploaded and may go from now on. Of one that has ended nothing is left to go.</summary>
    public void Add(TailPart part, long endOffset, long bytes)
    {
        lock (_lock)
        {
            if (part.Holder is not null)
            {
                _uploaded.Enqueue((part, endOffset, bytes));
                _bytes += bytes;
                part.Bytes += bytes;
            }
        }
    }

    /// <summary>A stream has ended: it lets its records go by itself, and is not to be held here.</summary>
    public void Forget(TailPart part)
    {
        lock (_lock)
        {
            _bytes -= part.Bytes;
            part.End();
        }
    }

    /// <summary>Lets go what exceeds the setting, or is needed by those who wait.</summary>
    public void Shrink()
    {
        while (true)
        {
            ITailHolder? stream;
            long endOffset;
            lock (_lock)
            {
                if (_uploaded.Count == 0 || (_bytes <= limit && budget.Shortage == 0))
                {
                    return;
                }

                (var part, endOffset, var bytes) = _uploaded.Dequeue();
                stream = part.Holder;
                if (stream is not null)
                {
                    _bytes -= bytes;
                    part.Bytes -= bytes;
                }
            }

            stream?.EvictUploaded(endOffset);
        }
    }
}
