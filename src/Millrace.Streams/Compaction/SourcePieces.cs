using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Compaction;

/// <summary>Parts of sources in memory: blocks and attachments, those that lie near one another read together.</summary>
/// <remarks>Threading: one caller at a time.</remarks>
/// <param name="reader">Reads them.</param>
/// <param name="pace">How fast.</param>
/// <param name="buffers">Lends the memory until this is disposed.</param>
internal sealed class SourcePieces(DataObjectReader reader, BytePace pace, BufferPool buffers) : IDisposable
{
    private const int LargestRead = 1 << 20;

    // To read what lies between two costs less than another request. What is kept of it is less than what is wanted.
    private const int LargestGap = 64 << 10;

    private readonly SortedDictionary<(ObjectId Object, long Position), int> _wanted = [];
    private readonly Dictionary<(ObjectId Object, long Position), ReadOnlyMemory<byte>> _pieces = [];
    private readonly List<PooledBuffer> _held = [];

    /// <summary>Bytes that were read.</summary>
    public long BytesRead { get; private set; }

    public ReadOnlyMemory<byte> this[ObjectId id, long position] => _pieces[(id, position)];

    public void Want(ObjectId id, long position, int length) => _wanted[(id, position)] = length;

    /// <summary>Reads what is wanted.</summary>
    /// <exception cref="StreamException">StorageUnavailable; Corrupt; Incomplete: an object is gone.</exception>
    public async Task ReadAsync(CancellationToken token)
    {
        var together = new List<(long Position, int Length)>();
        var (id, end) = (default(ObjectId), 0L);
        foreach (var ((next, position), length) in _wanted)
        {
            if (together.Count > 0
                && (next != id || position > end + LargestGap || position + length > together[0].Position + LargestRead))
            {
                await ReadAsync(id, together, token);
                together.Clear();
            }

            together.Add((position, length));
            (id, end) = (next, position + length);
        }

        if (together.Count > 0)
        {
            await ReadAsync(id, together, token);
        }
    }

    public void Dispose()
    {
        _held.ForEach(buffer => buffer.Release());
        _held.Clear();
        _pieces.Clear();
    }

    private async Task ReadAsync(ObjectId id, List<(long Position, int Length)> together, CancellationToken token)
    {
        var start = together[0].Position;
        var length = checked((int)(together[^1].Position + together[^1].Length - start));
        await pace.TakeAsync(length, token);
        var buffer = buffers.Rent(length);
        _held.Add(buffer);
        if (!await reader.ReadAsync(id, start, buffer.Memory, token))
        {
            throw new StreamException(StreamError.Incomplete, $"Object {DataObjectKey.Of(id)} is gone: what was to be merged of it is needed no more");
        }

        BytesRead += length;
        var wanted = together.Sum(piece => piece.Length);
        if (length - wanted > wanted)
        {
            Pack(id, together, buffer, wanted);
            return;
        }

        foreach (var (position, size) in together)
        {
            _pieces[(id, position)] = buffer.Memory.Slice((int)(position - start), size);
        }
    }

    /// <summary>Keeps what is wanted of a buffer that is mostly something else, and gives that back.</summary>
    private void Pack(ObjectId id, List<(long Position, int Length)> together, PooledBuffer buffer, int wanted)
    {
        var packed = buffers.Rent(wanted);
        _held.Add(packed);
        var at = 0;
        foreach (var (position, size) in together)
        {
            buffer.Memory.Slice((int)(position - together[0].Position), size).CopyTo(packed.Memory[at..]);
            _pieces[(id, position)] = packed.Memory.Slice(at, size);
            at += size;
        }

        _held.Remove(buffer);
        buffer.Release();
    }
}
