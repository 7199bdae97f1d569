using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Cache;

/// <summary>A block in the <see cref="BlockCache"/>, or on its way there.</summary>
/// <remarks>Threading: under the cache's lock.</remarks>
internal sealed class CachedBlock(ObjectId id, int index, BlockRun run)
{
    /// <summary>Bytes of memory that it takes beside its data: itself, and its places in the cache. For small blocks that is the larger part.</summary>
    public const int Bookkeeping = 192;

    public ObjectId Object => id;

    public int Index => index;

    public BlockRun Run => run;

    /// <summary>Nobody has asked for it yet.</summary>
    public bool Ahead { get; set; }

    /// <summary>How many bytes had come when it came, or when its reader was last seen.</summary>
    public long AwaitedSince { get; set; }

    /// <summary>Null while it is on its way.</summary>
    public LinkedListNode<CachedBlock>? Place { get; set; }

    public DataBlock Block { get; set; }

    public PooledBuffer? Buffer { get; set; }
}
