using System.Buffers;
using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Objects;

/// <summary>
/// Strings own memory and payloads together to one sequence. Small payloads are copied: their place in a sequence would take about as much
/// memory as they do, and each is a piece to send.
/// </summary>
/// <param name="buffers">Lends the memory, in pieces of moderate size.</param>
/// <param name="ownBytes">What will be taken of it in all.</param>
internal sealed class DataObjectBody(BufferPool buffers, long ownBytes) : IDisposable
{
    /// <summary>Payloads up to this are copied.</summary>
    public const int CopiedPayload = 1 << 10;

    private const int PieceBytes = 1 << 20;

    // What a place in the sequence takes of managed memory.
    private const int PlaceBytes = 48;
    private readonly JoinedMemory _joined = new();
    private readonly List<PooledBuffer> _pieces = [];
    private Memory<byte> _piece;
    private int _begin;
    private int _end;
    private long _left = ownBytes;

    /// <summary>Memory that it keeps alive beside the payloads that lie elsewhere.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Memory to be filled in; it stands at the end of what was added so far.</summary>
    public Span<byte> Own(int length)
    {
        if (_piece.Length - _end < length)
        {
            EndPart();
            var piece = buffers.Rent((int)Math.Max(length, Math.Min(PieceBytes, _left)));
            _pieces.Add(piece);
            HeldBytes += piece.Capacity;
            _piece = piece.Memory;
            _begin = _end = 0;
        }

        var own = _piece.Span.Slice(_end, length);
        _end += length;
        _left -= length;
        return own;
    }

    public void AddPayload(ReadOnlyMemory<byte> payload)
    {
        if (payload.Length <= CopiedPayload)
        {
            payload.Span.CopyTo(Own(payload.Length));
        }
        else
        {
            Refer(payload);
        }
    }

    /// <summary>Adds memory where it is; it must stay unchanged for as long as this lives.</summary>
    public void Refer(ReadOnlyMemory<byte> memory)
    {
        if (!memory.IsEmpty)
        {
            EndPart();
            Join(memory);
        }
    }

    /// <summary>All of it. Nothing is added afterwards.</summary>
    public ReadOnlySequence<byte> ToSequence()
    {
        EndPart();
        return _joined.ToSequence();
    }

    public void Dispose()
    {
        _pieces.ForEach(piece => piece.Release());
        _pieces.Clear();
    }

    private void EndPart()
    {
        if (_end > _begin)
        {
            Join(_piece[_begin.._end]);
            _begin = _end;
        }
    }

    private void Join(ReadOnlyMemory<byte> memory)
    {
        _joined.Add(memory);
        HeldBytes += PlaceBytes;
    }
}
