namespace Millrace.Protocol.Records;

/// <summary>What validating a batch found.</summary>
public readonly record struct RecordBatchVerdict
{
    public RecordBatchError Error { get; init; }

    /// <summary>The header; default when there are not even the bytes of one.</summary>
    public RecordBatchHeader Header { get; init; }

    /// <summary>The highest timestamp of the records, -1 when none has one: what the header should say.</summary>
    public long MaxTimestamp { get; init; }

    /// <summary>Distance from the base offset to the first record with that timestamp.</summary>
    public int OffsetDeltaOfMaxTimestamp { get; init; }

    /// <summary>
    /// The records that are wrong one by one, where that is the error: by index, ascending; at most <see
    /// cref="RecordBatchValidator.MaxReportedRecords"/>.
    /// </summary>
    public IReadOnlyList<int> InvalidRecords { get; init; }

    public bool IsValid => Error == RecordBatchError.None;
}
