using System.Buffers;

namespace Millrace.Tests.Streams.Wal;

/// <summary>Memory that fails whoever looks into it.</summary>
internal sealed class UnreadableMemory : MemoryManager<byte>
{
    public override Memory<byte> Memory => CreateMemory(1 << 10);

    public override Span<byte> GetSpan() => throw new InvalidOperationException("The test's memory cannot be read");

    public override MemoryHandle Pin(int elementIndex = 0) => throw new InvalidOperationException("The test's memory cannot be pinned");

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
