using System.Buffers;
using System.Runtime.InteropServices;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Server.Transport;

/// <summary>
/// The memory that the socket transport receives into and sends from, in blocks of 64 KiB. Of 4 KiB, which suit web requests, a
/// gigabyte of records would cost half a million system calls, and as many hand-overs from thread to thread.
/// </summary>
/// <remarks>
/// Arrays, because sockets send several blocks at once only from arrays; pinned, since the kernel writes to them. They are kept for the
/// next connection and not left to the collector, which would come late: a burst would take its size several times over. All that there
/// are count among the node's buffers, which bound how much answers may take.
/// Threading: any thread. A connection holds blocks only while bytes are in its pipes.
/// </remarks>
/// <param name="buffers">Where the blocks are counted.</param>
internal sealed class TransportBlocks(BufferPool buffers) : MemoryPool<byte>
{
    internal const int BlockBytes = 64 << 10;

    private readonly Lock _lock = new();
    private readonly Stack<Block> _idle = new();
    private int _leastIdle;

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        Block? block;
        lock (_lock)
        {
            _idle.TryPop(out block);
            _leastIdle = Math.Min(_leastIdle, _idle.Count);
        }

        if (block is null)
        {
            block = new Block(this);
            buffers.Account(BlockBytes);
        }

        block.IsRented = true;
        return block;
    }

    /// <summary>Gives up the blocks that nobody needed since the last call. To be called every few seconds.</summary>
    public void Trim()
    {
        int count;
        lock (_lock)
        {
            count = _leastIdle;
            for (var i = 0; i < count; i++)
            {
                _idle.Pop();
            }

            _leastIdle = _idle.Count;
        }

        buffers.Account(-(long)count * BlockBytes);
    }

    protected override void Dispose(bool disposing)
    {
        // Nothing is held here that the collector does not see.
    }

    private void Return(Block block)
    {
        Invariant.Check(block.IsRented);
        block.IsRented = false;
        lock (_lock)
        {
            _idle.Push(block);
        }
    }

    private sealed class Block(TransportBlocks blocks) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

        public bool IsRented { get; set; }

        public Memory<byte> Memory => MemoryMarshal.CreateFromPinnedArray(_bytes, 0, _bytes.Length);

        public void Dispose() => blocks.Return(this);
    }
}
