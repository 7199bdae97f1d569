namespace Millrace.Coordination.Shards;

/// <summary>Reads all of one coordinator partition. The broker implements it over its partition.</summary>
public interface IPartitionLoader
{
    /// <summary>
    /// The records of the partition from its start up to what is durable when the call is made, in order, some at a time.
    /// Their memory is valid until the enumeration moves on.
    /// </summary>
    /// <exception cref="CoordinatorException">NotHere: this leader epoch is over. Unavailable: cannot be read now.</exception>
    IAsyncEnumerable<IReadOnlyList<EncodedRecord>> ReadAsync(CancellationToken token);
}
