using System.Runtime.CompilerServices;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams.Cache;

public sealed class TailCacheTests
{
    private readonly MemoryBudget _budget = new(1_000, 0, () => { });

    [Fact]
    public void What_exceeds_the_setting_goes_in_the_order_of_the_uploads()
    {
        var (tail, first, second) = (new TailCache(100, _budget), new Holder(), new Holder());
        tail.Add(first.Part, 10, 60);
        tail.Add(second.Part, 5, 60);
        tail.Add(first.Part, 20, 60);

        tail.Shrink();

        Assert.Equal([10], first.Evicted);
        Assert.Equal([5], second.Evicted);
        Assert.Equal(60, tail.Bytes);
    }

    [Fact]
    public void A_stream_that_has_ended_is_neither_counted_nor_held_and_comes_no_more()
    {
        var (tail, other) = (new TailCache(100, _budget), new Holder());
        var ended = AddAndForget(tail, other);

        Assert.Equal(40, tail.Bytes);
        GC.Collect();
        Assert.False(ended.IsAlive);

        tail.Add(other.Part, 20, 80);
        tail.Shrink();
        Assert.Equal([10], other.Evicted);
        Assert.Equal(80, tail.Bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference AddAndForget(TailCache tail, Holder other)
    {
        var ended = new Holder();
        tail.Add(ended.Part, 10, 60);
        tail.Add(other.Part, 10, 40);
        tail.Forget(ended.Part);
        tail.Add(ended.Part, 20, 60);
        Assert.Empty(ended.Evicted);
        return new WeakReference(ended);
    }

    private sealed class Holder : ITailHolder
    {
        public Holder() => Part = new TailPart(this);

        public TailPart Part { get; }

        public List<long> Evicted { get; } = [];

        public void EvictUploaded(long endOffset) => Evicted.Add(endOffset);
    }
}
