namespace Millrace.Streams.Wal;

/// <summary>Appends that follow each other, linked to one another: to take them from the queue takes no memory. Empty by default.</summary>
internal readonly record struct WalAppendGroup(WalAppend? First, WalAppend? Last, int Count)
{
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Completes them all, or fails them for a reason; they are their takers' from then on, and may be used again at once.</summary>
    /// <returns>What went wrong with one of them, such as an allocation: nobody may ever hear of it, so the WAL must not go on. Null as a rule.</returns>
    public Exception? Settle(StreamException? reason)
    {
        Exception? trouble = null;
        foreach (var append in this)
        {
            try
            {
                if (reason is null)
                {
                    append.Complete();
                }
                else
                {
                    append.Fail(reason);
                }
            }
            catch (Exception failure)
            {
                trouble = failure;
            }
        }

        return trouble;
    }

    /// <summary>Reads each link before it hands the append out, since whoever gets it may end it.</summary>
    internal struct Enumerator(WalAppendGroup group)
    {
        private WalAppend? _next = group.First;
        private int _left = group.Count;

        public WalAppend Current { get; private set; } = null!;

        public bool MoveNext()
        {
            if (_left == 0)
            {
                return false;
            }

            _left--;
            Current = _next!;
            _next = Current.Next;
            return true;
        }
    }
}
