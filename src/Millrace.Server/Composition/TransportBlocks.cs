using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Millrace.Runtime;

namespace Millrace.Server.Composition;

/// <summary>
/// The memory that the socket transport receives into and sends from, in blocks of 64 KiB. Kestrel's own are 4 KiB, which suits
/// web requests: a gigabyte of records would cost a quarter of a million system calls, and as many hand-overs from thread to thread.
/// </summary>
/// <remarks>Threading: any thread. A connection holds blocks only while bytes are in its pipes. The pool of buffers belongs to the caller.</remarks>
internal sealed class TransportBlocks(BufferPool buffers) : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 64 << 10;

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return buffers.Rent(BlockBytes);
    }

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    protected override void Dispose(bool disposing)
    {
        // Nothing is held here.
    }
}
