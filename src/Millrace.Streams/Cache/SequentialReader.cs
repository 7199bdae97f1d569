namespace Millrace.Streams.Cache;

/// <summary>One who reads a stream in order, and for whom blocks are fetched ahead of time.</summary>
/// <remarks>Threading: what is not said otherwise belongs to whoever notices readers.</remarks>
internal sealed class SequentialReader
{
    private long _cameAt;

    /// <summary>How many bytes the block cache had fetched when it last read. May be read by any thread.</summary>
    public long CameAt
    {
        get => Volatile.Read(ref _cameAt);
        set => Volatile.Write(ref _cameAt, value);
    }

    /// <summary>The offset that it is going to ask for.</summary>
    public long Expected { get; set; }

    /// <summary>When it last read, by a clock that counts reads.</summary>
    public long LastUsed { get; set; }

    /// <summary>How many bytes are fetched for it at once. May be read by any thread.</summary>
    public int Window { get; set; }

    /// <summary>Where the next fetch begins.</summary>
    public long FetchFrom { get; set; }

    /// <summary>When it comes here, more is fetched.</summary>
    public long FetchAgainAt { get; set; }

    /// <summary>A fetch is under way.</summary>
    public bool Fetching { get; set; }
}
