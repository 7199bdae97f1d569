namespace Millrace.Broker.Purgatory;

/// <summary>How many bytes of a partition have become readable, and the fetches that wait for more.</summary>
/// <remarks>
/// Threading: any thread. Nothing here blocks or calls out: a woken fetch continues on its own.
/// No progress is lost between a fetch's read and its wait, since the wait begins from a mark taken before the read.
/// </remarks>
internal sealed class PartitionProgress
{
    private readonly Lock _lock = new();
    private FetchWatch? _first;
    private long _bytes;
    private int _endings;

    public ProgressMark Mark()
    {
        lock (_lock)
        {
            return new ProgressMark(_bytes, _endings);
        }
    }

    /// <summary>More bytes can be read.</summary>
    public void Advance(long bytes)
    {
        lock (_lock)
        {
            _bytes += bytes;
            for (var watch = _first; watch is not null; watch = watch.Next)
            {
                watch.Wait.Report(bytes);
            }
        }
    }

    /// <summary>Something happened that ends every wait: the partition closed, lost its stream, or its log start moved.</summary>
    public void EndWaits()
    {
        lock (_lock)
        {
            _endings++;
            for (var watch = _first; watch is not null; watch = watch.Next)
            {
                watch.Wait.Wake();
            }
        }
    }

    internal void Add(FetchWatch watch, ProgressMark since)
    {
        lock (_lock)
        {
            watch.List = this;
            watch.Listed = true;
            watch.Next = _first;
            if (_first is not null)
            {
                _first.Previous = watch;
            }

            _first = watch;
            if (_endings != since.Endings)
            {
                watch.Wait.Wake();
            }
            else if (_bytes != since.Bytes)
            {
                watch.Wait.Report(_bytes - since.Bytes);
            }
        }
    }

    internal void Remove(FetchWatch watch)
    {
        lock (_lock)
        {
            if (!watch.Listed)
            {
                return;
            }

            watch.Listed = false;
            if (watch.Previous is null)
            {
                _first = watch.Next;
            }
            else
            {
                watch.Previous.Next = watch.Next;
            }

            if (watch.Next is not null)
            {
                watch.Next.Previous = watch.Previous;
            }
        }
    }
}
