using Millrace.Streams.Cache;

namespace Millrace.Streams.Reading;

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
    private readonly SequentialReader?[] _readers = new SequentialReader?[Readers];
    private long _clock;

    /// <summary>The reader that is going to ask for an offset, if one is known.</summary>
    public SequentialReader? Find(long offset)
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
    public SequentialReader? Advance(long offset, long nextOffset, long now)
    {
        lock (_lock)
        {
            if (Find_NeedsLock(offset) is not { } reader)
            {
                _readers[FreePlace_NeedsLock()] = new SequentialReader { Expected = nextOffset, LastUsed = ++_clock };
                return null;
            }

            reader.Expected = nextOffset;
            reader.CameAt = now;
            reader.LastUsed = ++_clock;
            if (nextOffset < reader.FetchAgainAt)
            {
                return null;
            }

            // Grows, too, for a reader that overtakes what is being fetched for it: it then reads as much at once by itself.
            reader.Window = reader.Window == 0 ? Math.Min(firstBytes, limit) : Math.Min(reader.Window * 2, limit);
            if (reader.Fetching)
            {
                return null;
            }

            reader.FetchFrom = Math.Max(reader.FetchFrom, nextOffset);
            reader.Fetching = true;
            return reader;
        }
    }

    /// <param name="reader">The reader it was fetched for.</param>
    /// <param name="middle">When the reader comes here, more is fetched.</param>
    /// <param name="end">Where that begins.</param>
    public void Fetched(SequentialReader reader, long middle, long end)
    {
        lock (_lock)
        {
            reader.Fetching = false;
            reader.FetchAgainAt = middle;
            reader.FetchFrom = end;
        }
    }

    private SequentialReader? Find_NeedsLock(long offset) => Array.Find(_readers, known => known?.Expected == offset);

    private int FreePlace_NeedsLock()
    {
        var place = Array.IndexOf(_readers, null);
        return place >= 0 ? place : Array.IndexOf(_readers, _readers.MinBy(known => known!.LastUsed));
    }
}
