using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Millrace.Server.Composition;

/// <summary>
/// The memory that the socket transport receives into and sends from, in blocks of 64 KiB. Kestrel's own are 4 KiB, which suits
/// web requests: a gigabyte of records would cost half a million system calls, and as many hand-overs from thread to thread.
/// </summary>
/// <remarks>
/// Arrays, because Kestrel sends several blocks at once only from arrays.
/// Threading: any thread. A connection holds blocks only while bytes are in its pipes.
/// </remarks>
internal sealed class TransportBlocks : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    internal const int BlockBytes = 64 << 10;

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return Shared.Rent(BlockBytes);
    }

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    protected override void Dispose(bool disposing)
    {
        // Nothing is held here.
    }
}
