using Millrace.Runtime;
using Xunit;

namespace Millrace.Tests.Runtime;

public sealed class BufferPoolTests
{
    [Fact]
    public void Capacity_is_at_least_the_length_and_wastes_at_most_a_quarter()
    {
        foreach (var length in Enumerable.Range(0, 4000).Select(i => i * 531).Append(int.MaxValue / 2))
        {
            var capacity = BufferPool.CapacityFor(length);
            Assert.True(capacity >= length, $"{capacity} < {length}");
            Assert.True(length <= 4096 || capacity <= length * 1.25 + 1, $"{capacity} wastes too much for {length}");
        }
    }

    [Fact]
    public void A_released_buffer_is_reused_and_a_retained_one_is_not()
    {
        using var pool = new BufferPool(maxIdleBytes: 1 << 20);
        var first = pool.Rent(5000);
        first.Retain();
        first.Release();
        var second = pool.Rent(5000);
        Assert.NotSame(first, second);
        first.Release();
        Assert.Same(first, pool.Rent(5000));
    }

    [Fact]
    public void Idle_bytes_stay_below_the_bound()
    {
        using var pool = new BufferPool(maxIdleBytes: 8192);
        PooledBuffer[] buffers = [.. Enumerable.Range(0, 4).Select(_ => pool.Rent(4096))];
        foreach (var buffer in buffers)
        {
            buffer.Release();
        }

        Assert.Equal(8192, pool.IdleBytes);
        Assert.Equal(0, pool.RentedBytes);
    }
}
