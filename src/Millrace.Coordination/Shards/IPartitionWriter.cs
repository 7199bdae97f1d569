namespace Millrace.Coordination.Shards;

/// <summary>Appends to one coordinator partition at one leader epoch. The broker implements it over its partition.</summary>
/// <remarks>
/// Ordering: batches land in the order of the calls, and the returned tasks complete in that order, although several are under way.
/// When one fails, those called after it and before its failure was seen may have landed or not.
/// Threading: calls come one at a time, from any thread, and must not block it.
/// </remarks>
public interface IPartitionWriter
{
    /// <summary>The largest batch that the log takes, in bytes with all headers.</summary>
    int MaxBatchBytes { get; }

    /// <summary>It takes what must be written; what can wait had better.</summary>
    bool IsBusy { get; }

    /// <summary>Appends one batch. Completes when it, and all before it, are durable.</summary>
    /// <param name="records">At least one. Their memory is the caller's again as soon as the call has returned its task.</param>
    /// <param name="timestamp">Milliseconds since the Unix epoch.</param>
    /// <returns>The offset of the first record.</returns>
    /// <exception cref="CoordinatorException">
    /// NotHere: this leader epoch is over. Unavailable: not durable now, and possibly never.
    /// </exception>
    ValueTask<long> AppendAsync(IReadOnlyList<EncodedRecord> records, long timestamp);

    /// <summary>Deletes all records below an offset, for good. Completes when that is decided.</summary>
    /// <exception cref="CoordinatorException">NotHere: this leader epoch is over. Unavailable: not decided now, and possibly never.</exception>
    ValueTask TrimAsync(long offset, CancellationToken token);
}
