using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Xunit;

namespace Millrace.Tests.Runtime.Buffers;

public sealed class BufferPoolTests
{
    [Fact]
    public void Capacity_is_at_least_the_length_and_wastes_less_than_a_page_or_a_quarter()
    {
        foreach (var length in Enumerable.Range(0, 4000).Select(i => i * 531).Append(int.MaxValue / 2))
        {
            var capacity = BufferPool.CapacityFor(length);
            Assert.True(capacity >= length, $"{capacity} < {length}");
            Assert.True(capacity <= Math.Max(length + 4096, length * 1.25 + 1), $"{capacity} wastes too much for {length}");
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

    [Fact]
    public void Trimming_frees_what_nobody_needed_since_the_last_time_and_keeps_the_rest()
    {
        using var pool = new BufferPool(maxIdleBytes: 1 << 20);
        PooledBuffer[] burst = [.. Enumerable.Range(0, 10).Select(_ => pool.Rent(64 << 10))];
        Array.ForEach(burst, buffer => buffer.Release());
        Assert.Equal(10 * (64 << 10), pool.IdleBytes);

        // The burst needed them all; from now on two are enough.
        pool.Trim();
        PooledBuffer[] few = [.. Enumerable.Range(0, 2).Select(_ => pool.Rent(64 << 10))];
        Array.ForEach(few, buffer => buffer.Release());
        pool.Trim();
        Assert.Equal(2 * (64 << 10), pool.IdleBytes);
        pool.Trim();
        Assert.Equal(0, pool.IdleBytes);
    }

    [Fact]
    public void What_a_disposed_pool_frees_is_not_there_to_be_freed_again_by_a_trim()
    {
        var pool = new BufferPool(maxIdleBytes: 1 << 20);
        var held = pool.Rent(5000);
        pool.Rent(64 << 10).Release();
        pool.Rent(4096).Release();

        pool.Dispose();
        Assert.Equal(0, pool.IdleBytes);
        held.Release();
        Assert.Equal((0, 0), (pool.IdleBytes, pool.RentedBytes));
    }

    [Fact]
    public void Idle_buffers_of_other_sizes_make_way_for_new_memory()
    {
        using var pool = new BufferPool(maxIdleBytes: 1 << 20);
        PooledBuffer[] small = [.. Enumerable.Range(0, 16).Select(_ => pool.Rent(64 << 10))];
        Array.ForEach(small, buffer => buffer.Release());
        Assert.Equal(1 << 20, pool.IdleBytes);

        using var large = (IDisposable)pool.Rent(256 << 10);
        Assert.Equal((1 << 20) - (256 << 10), pool.IdleBytes);
    }

    [Fact]
    public void Beyond_the_bound_the_size_that_was_not_asked_for_longest_is_given_up()
    {
        using var pool = new BufferPool(maxIdleBytes: 256 << 10);
        var old = pool.Rent(128 << 10);
        PooledBuffer[] recent = [.. Enumerable.Range(0, 4).Select(_ => pool.Rent(64 << 10))];
        old.Release();
        Array.ForEach(recent, buffer => buffer.Release());

        Assert.Equal(256 << 10, pool.IdleBytes);
        Assert.All(recent, _ => Assert.Contains(pool.Rent(64 << 10), recent));
    }

    [Fact]
    public void Buffers_of_every_size_class_can_be_filled_and_given_back()
    {
        using var pool = new BufferPool(maxIdleBytes: 0);
        for (var length = 1; length < 16 << 20; length = length * 5 / 4 + 1)
        {
            var buffer = pool.Rent(length);
            buffer.GetSpan().Fill(0xA5);
            Assert.Equal(length, buffer.Memory.Length);
            buffer.Release();
            Assert.Equal(0, pool.IdleBytes);
        }
    }

    [Fact]
    public void A_poisoned_pool_finds_whoever_writes_into_what_it_has_let_go()
    {
        using var pool = new BufferPool(maxIdleBytes: 1 << 20) { Poisons = true };
        var buffer = pool.Rent(5000);
        var memory = buffer.Memory;
        buffer.Release();
        pool.Rent(5000).Release();
        unsafe
        {
            ((byte*)memory.Pin().Pointer)[4999] = 1;
        }

        Assert.Throws<InvariantViolationException>(() => pool.Rent(5000));
    }

    [Fact]
    public void Where_there_is_no_memory_nothing_is_taken()
    {
        var isOut = false;
        using var pool = new BufferPool(maxIdleBytes: 1 << 20) { Taking = _ => ThrowIfOut() };
        pool.Rent(5000).Release();
        isOut = true;
        Assert.Throws<InsufficientMemoryException>(() => pool.Rent(5000));
        Assert.Throws<InsufficientMemoryException>(() => pool.NewArray<long>(10));
        Assert.Equal(0, pool.RentedBytes);
        Assert.Equal(8192, pool.IdleBytes);

        void ThrowIfOut()
        {
            if (isOut)
            {
                throw new InsufficientMemoryException();
            }
        }
    }
}
