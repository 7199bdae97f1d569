using System.Numerics;
using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Wal;

/// <summary>A group of appends laid out one behind the other, behind room for a head, as a list of pieces to write.</summary>
/// <remarks>
/// Large payloads may stay where they are and be written from there, since a copy costs more than another piece; small ones are
/// copied, where it is the other way round. It is held until <see cref="Release"/>, and the payloads must stay unchanged until then.
/// </remarks>
internal sealed class GatheredRecords
{
    /// <summary>Payloads up to this are copied where pieces may begin anywhere.</summary>
    public const int CopiedPayload = 8 << 10;

    /// <summary>
    /// Copies go to pieces of this size. One size serves groups of all sizes, so that memory is used again rather than taken anew,
    /// which would cost more than filling it.
    /// </summary>
    private const int LargestPiece = 1 << 20;

    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private readonly List<PooledBuffer> _pieces = [];
    private Memory<byte> _piece;
    private long _uncopied;
    private int _begin;
    private int _end;

    /// <summary>
    /// The head, to be filled in by the caller, and the records; together a multiple of the alignment. Where everything is copied,
    /// each part is one, in memory that begins at a page.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Parts => _parts;

    /// <summary>CRC-32C of the records.</summary>
    public uint Checksum { get; private set; }

    /// <summary>Bytes of the records.</summary>
    public int BodyLength { get; private set; }

    /// <summary>What the caller fills in.</summary>
    public Span<byte> Head => _pieces[0].GetSpan();

    /// <param name="pool">Lends the memory.</param>
    /// <param name="appends">What to lay out.</param>
    /// <param name="headSize">Bytes left free at the beginning; at most a page.</param>
    /// <param name="alignment">Zeros follow up to a multiple of it; a page at most.</param>
    /// <param name="copiedUpTo">Payloads up to this are copied.</param>
    public void Build(BufferPool pool, WalAppendQueue.Group appends, int headSize, int alignment, int copiedUpTo)
    {
        long body = 0, copied = headSize;
        foreach (var append in appends)
        {
            var payload = append.Record.Payload.Length;
            body += WalRecordFormat.HeaderSize + payload;
            copied += WalRecordFormat.HeaderSize + (payload <= copiedUpTo ? payload : 0);
        }

        BodyLength = checked((int)body);
        var padding = (alignment - (headSize + body) % alignment) % alignment;
        _uncopied = copied + padding;
        BeginPiece(pool);
        _end = headSize;
        Span<byte> header = stackalloc byte[WalRecordFormat.HeaderSize];
        foreach (var append in appends)
        {
            var record = append.Record;
            WalRecordFormat.WriteHeader(header, record);
            Checksum = record.AppendPayloadTo(Crc32C.Append(Checksum, header));
            Copy(pool, header);
            if (record.Payload.Length <= copiedUpTo)
            {
                Copy(pool, record.Payload.Span);
            }
            else
            {
                EndPart();
                _parts.Add(record.Payload);
            }
        }

        Pad(pool);
    }

    public void Release()
    {
        _parts.Clear();
        foreach (var piece in _pieces)
        {
            piece.Release();
        }

        _pieces.Clear();
    }

    private void Copy(BufferPool pool, ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            var taken = Math.Min(bytes.Length, _piece.Length - _end);
            bytes[..taken].CopyTo(_piece.Span[_end..]);
            _end += taken;
            bytes = bytes[taken..];
            if (bytes.IsEmpty)
            {
                return;
            }

            BeginPiece(pool);
        }
    }

    /// <summary>Fills with zeros what the records left.</summary>
    private void Pad(BufferPool pool)
    {
        while (true)
        {
            _piece.Span[_end..].Clear();
            _end = _piece.Length;
            if (_uncopied == 0)
            {
                EndPart();
                return;
            }

            BeginPiece(pool);
        }
    }

    private void BeginPiece(BufferPool pool)
    {
        EndPart();
        // Powers of two are few, so that what an earlier group returned mostly fits.
        var buffer = pool.Rent((int)Math.Min(LargestPiece, BitOperations.RoundUpToPowerOf2((ulong)_uncopied)));
        _pieces.Add(buffer);
        _piece = buffer.Memory[..(int)Math.Min(buffer.Length, _uncopied)];
        _uncopied -= _piece.Length;
        _begin = _end = 0;
    }

    private void EndPart()
    {
        if (_end > _begin)
        {
            _parts.Add(_piece[_begin.._end]);
            _begin = _end;
        }
    }
}
