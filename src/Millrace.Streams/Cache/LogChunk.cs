namespace Millrace.Streams.Cache;

/// <summary>A part of a log cache: places for records, side by side.</summary>
internal sealed class LogChunk(CachedRecord[] records)
{
    public CachedRecord[] Records => records;

    /// <summary>The first record that has not been dropped.</summary>
    public int Start { get; set; }

    /// <summary>Behind the last record.</summary>
    public int End { get; set; }

    public bool IsFull => End == records.Length;

    /// <summary>The older one.</summary>
    public LogChunk? Previous { get; set; }

    /// <summary>The newer one; only a full one has one.</summary>
    public LogChunk? Next { get; set; }
}
