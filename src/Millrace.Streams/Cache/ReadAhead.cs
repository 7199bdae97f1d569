namespace Millrace.Streams.Cache;

/// <summary>
/// Notices sequential readers of a stream and says what to fetch before they ask: nothing for a first read, then twice as much
/// each time the reader has come half through what was fetched, up to a limit.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="firstBytes">The first window.</param>
/// <param name="limit">The largest window.</param>
internal sealed class ReadAhead(int firstBytes, int limit)
{
    // Readers of one stream beyond this many take each other's place; each then reads without help.
    private const int Readers = 8;

    private readonly Lock _lock = new();
    private readonly Cursor?[] _cursors = new Cursor?[Readers];
    private long _clock;

    /// <summary>The reader that is going to ask for an offset, if one is known.</summary>
    public Cursor? Find(long offset)
    {
        lock (_lock)
        {
            return Find_NeedsLock(offset);
        }
    }

    /// <summary>A read of [offset, nextOffset) was served. Returns the reader if it is time to fetch for it; then <see cref="Fetched"/> must follow.</summary>
    /// <param name="offset">Where the read began.</param>
    /// <param name="nextOffset">Where it ended.</param>
    /// <param name="now">The block cache's <see cref="BlockCache.FetchedBytes"/>.</param>
    public Cursor? Advance(long offset, long nextOffset, long now)
    {
        lock (_lock)
        {
            if (Find_NeedsLock(offset) is not { } cursor)
            {
                _cursors[FreePlace_NeedsLock()] = new Cursor { Expected = nextOffset, LastUsed = ++_clock };
                return null;
            }

            cursor.Expected = nextOffset;
            cursor.CameAt = now;
            cursor.LastUsed = ++_clock;
            if (nextOffset < cursor.FetchAgainAt)
            {
                return null;
            }

            // Grows, too, for a reader that overtakes what is being fetched for it: it then reads as much at once by itself.
            cursor.Window = cursor.Window == 0 ? Math.Min(firstBytes, limit) : Math.Min(cursor.Window * 2, limit);
            if (cursor.Fetching)
            {
                return null;
            }

            cursor.FetchFrom = Math.Max(cursor.FetchFrom, nextOffset);
            cursor.Fetching = true;
            return cursor;
        }
    }

    /// <param name="cursor">The reader it was fetched for.</param>
    /// <param name="middle">When the reader comes here, more is fetched.</param>
    /// <param name="end">Where that begins.</param>
    public void Fetched(Cursor cursor, long middle, long end)
    {
        lock (_lock)
        {
            cursor.Fetching = false;
            cursor.FetchAgainAt = middle;
            cursor.FetchFrom = end;
        }
    }

    private Cursor? Find_NeedsLock(long offset) => Array.Find(_cursors, known => known?.Expected == offset);

    private int FreePlace_NeedsLock()
    {
        var place = Array.IndexOf(_cursors, null);
        return place >= 0 ? place : Array.IndexOf(_cursors, _cursors.MinBy(known => known!.LastUsed));
    }

    /// <summary>One sequential reader.</summary>
    internal sealed class Cursor
    {
        private long _cameAt;

        /// <summary>How many bytes the cache had fetched when it last read. May be read by any thread.</summary>
        public long CameAt
        {
            get => Volatile.Read(ref _cameAt);
            set => Volatile.Write(ref _cameAt, value);
        }

        public long Expected { get; set; }

        public long LastUsed { get; set; }

        public int Window { get; set; }

        public long FetchFrom { get; set; }

        public long FetchAgainAt { get; set; }

        public bool Fetching { get; set; }
    }
}
