using Millrace.Runtime.Buffers;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams.Cache;

public sealed class SmallRecordArenaTests
{
    [Fact]
    public void A_chunk_that_cannot_be_had_leaves_the_arena_with_the_one_it_holds()
    {
        var isOut = false;
        using var buffers = new BufferPool(maxIdleBytes: 1 << 20)
        {
            Poisons = true,
            Taking = _ =>
            {
                if (isOut)
                {
                    throw new InsufficientMemoryException();
                }
            },
        };
        using var arena = new SmallRecordArena(buffers);
        var payload = new byte[SmallRecordArena.LargestPayload];
        var holders = new List<PooledBuffer>();
        isOut = true;
        Assert.Throws<InsufficientMemoryException>(() => arena.Copy(payload, out _));
        isOut = false;
        Copy();
        isOut = true;
        while (holders.Count < 1000)
        {
            try
            {
                Copy();
            }
            catch (InsufficientMemoryException)
            {
                break;
            }
        }

        // Nobody but the arena holds the chunk now: what is small enough still goes into it, and not into memory that was given back.
        holders.ForEach(holder => holder.Release());
        holders.Clear();
        Assert.Throws<InsufficientMemoryException>(() => arena.Copy(payload, out _));
        Assert.True(buffers.RentedBytes > 0);
        isOut = false;
        Copy();
        holders[0].Release();

        void Copy()
        {
            arena.Copy(payload, out var holder);
            holders.Add(holder);
        }
    }
}
