namespace Millrace.Broker.Purgatory;

/// <summary>How many bytes of a partition have become readable, and the fetches that wait for more.</summary>
/// <remarks>
/// Threading: any thread. Nothing here blocks or calls out: a woken fetch continues on its own.
/// No progress is lost between a fetch's read and its wait, since the wait begins from a mark taken before the read.
/// </remarks>
internal sealed class PartitionProgress
{
    private readonly Lock _lock = new();
    private readonly LinkedList<FetchWait> _waits = [];
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
            foreach (var wait in _waits)
            {
                wait.Report(bytes);
            }
        }
    }

    /// <summary>Something happened that ends every wait: the partition closed, lost its stream, or its log start moved.</summary>
    public void EndWaits()
    {
        lock (_lock)
        {
            _endings++;
            foreach (var wait in _waits)
            {
                wait.Wake();
            }
        }
    }

    /// <summary>Lists a fetch that waits, and tells it at once of what has come since its mark.</summary>
    /// <returns>Its place, which it leaves when the wait is over.</returns>
    internal LinkedListNode<FetchWait> Add(FetchWait wait, ProgressMark since)
    {
        lock (_lock)
        {
            var place = _waits.AddFirst(wait);
            if (_endings != since.Endings)
            {
                wait.Wake();
            }
            else if (_bytes != since.Bytes)
            {
                wait.Report(_bytes - since.Bytes);
            }

            return place;
        }
    }

    internal void Remove(LinkedListNode<FetchWait> place)
    {
        lock (_lock)
        {
            _waits.Remove(place);
        }
    }
}
