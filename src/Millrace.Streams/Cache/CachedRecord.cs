using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Cache;

/// <summary>A record in the log cache, which holds its buffer.</summary>
internal readonly record struct CachedRecord(
    long BaseOffset, long Count, long MaxTimestamp, long WalPosition, ReadOnlyMemory<byte> Payload, PooledBuffer Buffer)
{
    /// <summary>See <see cref="StreamRecord.PayloadChecksum"/>.</summary>
    public uint? PayloadChecksum { get; init; }

    /// <summary>Exclusive.</summary>
    public long EndOffset => BaseOffset + Count;

    /// <summary>It as its stream hands it out; the buffer is for the taker to retain.</summary>
    public StreamRecord ToRecord(StreamId stream, StreamEpoch epoch) =>
        new(stream, epoch, BaseOffset, Count, MaxTimestamp, Payload) { PayloadChecksum = PayloadChecksum };
}
