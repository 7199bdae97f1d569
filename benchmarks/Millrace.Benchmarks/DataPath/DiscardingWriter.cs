using System.Buffers;

namespace Millrace.Benchmarks.DataPath;

/// <summary>Takes what a response writes, as a connection's pipe does, and forgets it.</summary>
internal sealed class DiscardingWriter : IBufferWriter<byte>
{
    private byte[] _buffer = new byte[64 << 10];

    public void Advance(int count)
    {
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => Room(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => Room(sizeHint);

    private byte[] Room(int size) => size <= _buffer.Length ? _buffer : _buffer = new byte[size];
}
