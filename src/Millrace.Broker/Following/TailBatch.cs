using Millrace.Runtime.Buffers;

namespace Millrace.Broker.Following;

/// <summary>A batch in a followed tail, and the memory it lies in.</summary>
/// <param name="BaseOffset">The offset of its first record.</param>
/// <param name="EndOffset">Exclusive.</param>
/// <param name="Bytes">The whole batch.</param>
/// <param name="EndPosition">How many bytes have come up to its end, as long as the partition is followed.</param>
/// <param name="Holder">The tail holds it once for each batch.</param>
internal readonly record struct TailBatch(long BaseOffset, long EndOffset, ReadOnlyMemory<byte> Bytes, long EndPosition, PooledBuffer Holder);
