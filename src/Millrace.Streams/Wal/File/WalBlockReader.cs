using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Wal.File;

/// <summary>Reads a file WAL's blocks in order, checking each. One caller at a time.</summary>
internal sealed class WalBlockReader(WalRing ring, BufferPool pool, FileWalHeader wal) : IDisposable
{
    // Small blocks are read many at a time.
    private const int ReadAhead = 1 << 20;
    private PooledBuffer? _buffer;
    private long _start;
    private int _length;

    /// <summary>The block at a place, or null if no whole, right one stands there. Its body is valid until the next call.</summary>
    /// <param name="position">In the ring.</param>
    /// <param name="sequence">It must have this one.</param>
    /// <param name="limit">It must end at or before this ring position.</param>
    /// <param name="token">Ends the wait.</param>
    public async ValueTask<WalBlock?> ReadAsync(long position, long sequence, long limit, CancellationToken token)
    {
        if (await ReadHeaderAsync(position, limit, token) is not { } header
            || header.Sequence != sequence
            || header.BodyLength < 0
            || header.BlockLength > Math.Min(limit - position, int.MaxValue))
        {
            return null;
        }

        var bytes = await FillAsync(position, (int)header.BlockLength, limit, token);
        var body = bytes.Slice(WalBlockHeader.Size, header.BodyLength);
        return Crc32C.Of(body.Span) == header.BodyChecksum ? new WalBlock(header, body) : null;
    }

    /// <summary>The header of a block of this WAL and this lap that begins at a place, or null.</summary>
    public async ValueTask<WalBlockHeader?> ReadHeaderAsync(long position, long limit, CancellationToken token)
    {
        if (position + FileWalFormat.Sector > limit)
        {
            return null;
        }

        var bytes = await FillAsync(position, FileWalFormat.Sector, limit, token);
        return WalBlockHeader.TryRead(bytes.Span, out var header)
            && header.Wal == wal.Id
            && header.Epoch == wal.Epoch
            && header.RingPosition == position
            ? header
            : null;
    }

    public void Dispose()
    {
        _buffer?.Release();
        _buffer = null;
        _length = 0;
    }

    private async ValueTask<ReadOnlyMemory<byte>> FillAsync(long position, int length, long limit, CancellationToken token)
    {
        if (_buffer is null || position < _start || position + length > _start + _length)
        {
            Dispose();
            var wanted = (int)Math.Min(Math.Max(length, ReadAhead), limit - position);
            _buffer = pool.Rent(wanted);
            await ring.ReadAsync(position, _buffer.Memory, token);
            _start = position;
            _length = wanted;
        }

        return _buffer.Memory.Slice((int)(position - _start), length);
    }
}
