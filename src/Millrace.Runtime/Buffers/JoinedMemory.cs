using System.Buffers;

namespace Millrace.Runtime.Buffers;

/// <summary>Strings pieces of memory together, in the order they are added; nothing is copied. One caller at a time.</summary>
public sealed class JoinedMemory
{
    private Piece? _first;
    private Piece? _last;

    public void Add(ReadOnlyMemory<byte> memory)
    {
        _last = new Piece(memory, _last);
        _first ??= _last;
    }

    public void Add(in ReadOnlySequence<byte> pieces)
    {
        foreach (var piece in pieces)
        {
            Add(piece);
        }
    }

    /// <summary>What was added so far, seen as one. The pieces still belong to whoever added them.</summary>
    public ReadOnlySequence<byte> ToSequence() =>
        _first is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(_first, 0, _last!, _last!.Memory.Length);

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
