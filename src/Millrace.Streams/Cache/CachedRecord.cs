using Millrace.Runtime;

namespace Millrace.Streams.Cache;

/// <summary>A record in the log cache, which holds its buffer.</summary>
internal readonly record struct CachedRecord(
    long BaseOffset, long Count, long MaxTimestamp, long WalPosition, ReadOnlyMemory<byte> Payload, PooledBuffer Buffer)
{
    /// <summary>Exclusive.</summary>
    public long EndOffset => BaseOffset + Count;
}
