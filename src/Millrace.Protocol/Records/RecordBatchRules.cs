namespace Millrace.Protocol.Records;

/// <summary>What a topic demands of the batches sent to it. Times are milliseconds since 1970.</summary>
public readonly record struct RecordBatchRules
{
    public RecordBatchRules()
    {
    }

    /// <summary>The largest batch, as it comes: <c>max.message.bytes</c>.</summary>
    public int MaxBatchBytes { get; init; } = int.MaxValue;

    /// <summary>The most that records may take when decompressed.</summary>
    public int MaxDecompressedBytes { get; init; } = int.MaxValue;

    public bool AllowZstd { get; init; } = true;

    /// <summary>The topic is compacted.</summary>
    public bool RequireKeys { get; init; }

    /// <summary>With the broker's clock, what clients say about time is not looked at.</summary>
    public TimestampType TimestampType { get; init; }

    public long EarliestTimestamp { get; init; } = long.MinValue;

    public long LatestTimestamp { get; init; } = long.MaxValue;
}
