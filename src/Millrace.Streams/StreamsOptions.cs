namespace Millrace.Streams;

/// <summary>What operators tune. All sizes are bytes.</summary>
public sealed record StreamsOptions
{
    /// <summary>
    /// Memory held by records that are not yet in a committed object, and by appends under way. Bounds what a broker that dies leaves
    /// to recover, and is where producers start to wait when the object store is slow. Uploaded records that are still
    /// cached leave before anybody waits.
    /// </summary>
    public long NotUploadedBytes { get; init; } = 192L << 20;

    /// <summary>An upload begins when records hold this much memory. Large enough that requests cost little beside the data.</summary>
    public long UploadBytes { get; init; } = 32L << 20;

    /// <summary>
    /// An upload begins when the oldest record is this old, or later where many streams have little (<see cref="UploadIntervalLimit"/>). Three
    /// requests (two of them to the metadata log) every ten seconds are about 800,000 a month, some four dollars, for an idle broker that leaves next to
    /// nothing to recover.
    /// </summary>
    public TimeSpan UploadInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The oldest that a record becomes before an upload begins, however many streams have little. Where it is shorter than <see cref="UploadInterval"/>, that
    /// counts.
    /// </summary>
    public TimeSpan UploadIntervalLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Uploads that may be under way at once, so that the latency of one does not limit throughput. One more may be, of streams that none of the
    /// others has: they need not wait for anybody, however slow the others are.
    /// </summary>
    public int UploadsAtOnce { get; init; } = 3;

    /// <summary>A stream with this much payload in one upload gets an object of its own.</summary>
    public long StreamObjectBytes { get; init; } = 8L << 20;

    /// <summary>Payload after which a data block ends: the unit of reads, checksums and caching.</summary>
    public int DataBlockBytes { get; init; } = 512 << 10;

    /// <summary>Memory for uploaded records that stay readable for consumers near the end of a stream.</summary>
    public long TailCacheBytes { get; init; } = 64L << 20;

    /// <summary>Memory for data blocks read back from objects; up to half of it for what was recovered, until it is opened.</summary>
    public long BlockCacheBytes { get; init; } = 48L << 20;

    /// <summary>Memory for the indexes of objects.</summary>
    public long IndexCacheBytes { get; init; } = 16L << 20;

    /// <summary>How far ahead of a sequential reader blocks are fetched, at most.</summary>
    public int ReadAheadBytes { get; init; } = 4 << 20;

    /// <summary>How much is read a second, at most, to merge objects; 0: nothing is merged here.</summary>
    public long CompactionBytesPerSecond { get; init; } = 16L << 20;

    /// <summary>How often a node that has time asks for objects to merge: a message within the cluster, and nothing for the store.</summary>
    public TimeSpan CompactionInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What a merged object takes, and so about a half of the memory of merging; one range may be larger.</summary>
    public long CompactedObjectBytes { get; init; } = 16L << 20;

    /// <summary>The first pause after a failed call to the object store or the registry; it doubles up to <see cref="RetryLimit"/>.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan RetryLimit { get; init; } = TimeSpan.FromSeconds(5);

    internal HandOverRules HandOverRules { get; init; } = HandOverRules.Default;
}
