using CsCheck;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams.Cache;

public sealed class LogCacheTests
{
    [Fact]
    public void It_finds_what_a_list_would_find_through_any_growth_and_eviction()
    {
        Gen.Select(Gen.Bool, Gen.Int[1, 5], Gen.Int[1, 40]).Array[1, 200].Sample(steps =>
        {
            using var buffers = new BufferPool(maxIdleBytes: 1 << 20);
            var cache = new LogCache(new StreamId(1), new StreamEpoch(1), buffers);
            var model = new List<(long Base, long End)>();
            var (next, held) = (0L, 0L);
            foreach (var (add, count, many) in steps)
            {
                for (var i = 0; add && i < many; i++)
                {
                    var buffer = buffers.Rent(1);
                    cache.Reserve();
                    held += cache.Add(new CachedRecord(next, count, -1, next, buffer.Memory, buffer));
                    buffer.Release();
                    model.Add((next, next + count));
                    next += count;
                }

                if (!add)
                {
                    var below = model.Count > 0 ? model[0].Base + many * count : 0;
                    held -= cache.Evict(below);
                    model.RemoveAll(record => record.End <= below);
                }

                Assert.Equal(model.Count, cache.Count);
                Assert.Equal(model.Count * (4096L + RecordCost.Cached), held);
                for (var offset = Math.Max(0, next - 30); offset < next; offset++)
                {
                    var expected = model.FindIndex(record => record.End > offset);
                    expected = model.Count == 0 || offset < model[0].Base ? -1 : expected;
                    Assert.Equal(expected >= 0, cache.TryFind(offset, out var found));
                    for (; expected >= 0 && expected < model.Count; expected++, found.MoveNext())
                    {
                        Assert.Equal(model[expected].Base, found.Record.BaseOffset);
                    }
                }
            }

            Assert.False(cache.TryFind(next, out _));
            held -= cache.Evict(long.MaxValue);
            Assert.Equal((0, 0), (held, buffers.RentedBytes));
        });
    }
}
