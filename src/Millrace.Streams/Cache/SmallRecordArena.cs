using Millrace.Runtime;

namespace Millrace.Streams.Cache;

/// <summary>
/// Moves small records together. A record of a hundred bytes would keep a whole frame alive, of four KiB at least: the budget would be
/// used up, and uploads begun, by a fortieth of the data. Copying so little costs less than the append's own bookkeeping.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class SmallRecordArena(BufferPool buffers) : IDisposable
{
    /// <summary>Payloads up to this size are worth moving.</summary>
    public const int LargestPayload = 1 << 10;

    private const int ChunkBytes = 256 << 10;
    private readonly Lock _lock = new();
    private PooledBuffer? _chunk;
    private int _used;

    /// <summary>Copies a payload, and holds the memory it is copied to for the caller.</summary>
    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> payload, out PooledBuffer holder)
    {
        lock (_lock)
        {
            if (_chunk is null || _chunk.Length - _used < payload.Length)
            {
                _chunk?.Release();
                _chunk = buffers.Rent(ChunkBytes);
                _used = 0;
            }

            var copy = _chunk.Memory.Slice(_used, payload.Length);
            _used += payload.Length;
            payload.CopyTo(copy.Span);
            holder = _chunk.Retain();
            return copy;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _chunk?.Release();
            _chunk = null;
        }
    }
}
