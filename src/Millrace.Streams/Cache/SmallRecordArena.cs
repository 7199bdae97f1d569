using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Cache;

/// <summary>
/// Moves small records together. Held in place, each would keep the frame it came in, which takes whole pages and may carry much else:
/// the budget would be used up, and uploads begun, by a fraction of the data. Copying costs little while the bytes are still in the
/// processor's cache, and lets the frame serve the next request at once.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class SmallRecordArena(BufferPool buffers) : IDisposable
{
    /// <summary>Payloads up to this size are worth moving: beyond it a frame of its own wastes a quarter at most.</summary>
    public const int LargestPayload = 16 << 10;

    private const int ChunkBytes = 256 << 10;
    private readonly Lock _lock = new();
    private PooledBuffer? _chunk;
    private int _used;

    /// <summary>Copies a payload, and holds the memory it is copied to for the caller.</summary>
    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> payload, out PooledBuffer holder)
    {
        Memory<byte> copy;
        lock (_lock)
        {
            if (_chunk is null || _chunk.Length - _used < payload.Length)
            {
                // First the new one: where there is no memory for it, the old one is still held.
                var next = buffers.Rent(ChunkBytes);
                _chunk?.Release();
                (_chunk, _used) = (next, 0);
            }

            copy = _chunk.Memory.Slice(_used, payload.Length);
            _used += payload.Length;
            holder = _chunk.Retain();
        }

        // Without the lock: the place is taken.
        payload.CopyTo(copy.Span);
        return copy;
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
