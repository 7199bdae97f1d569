namespace Millrace.Coordination.Shards;

/// <summary>Reads one coordinator partition. The broker implements it over its partition.</summary>
public interface IPartitionLoader
{
    /// <summary>
    /// The records of the partition from an offset up to what is durable when the call is made, in order, some at a time.
    /// Their memory is valid until the enumeration moves on.
    /// </summary>
    /// <param name="offset">0 for the start of the log, or where a former reading of it ended.</param>
    /// <param name="token">Ends the reading.</param>
    /// <exception cref="CoordinatorException">
    /// NotHere: this leader epoch is over. Unavailable: cannot be read now, or not from there, since it was trimmed.
    /// </exception>
    IAsyncEnumerable<LoadedRecords> ReadAsync(long offset, CancellationToken token);
}
