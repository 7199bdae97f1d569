using System.Collections.Concurrent;
using System.Numerics;

namespace Millrace.Runtime;

/// <summary>
/// Hands out page-aligned native buffers and keeps returned ones for the next taker, up to a bound. Native, so that
/// a busy broker's data neither fragments nor enlarges the garbage collector's heap; aligned, so that a buffer can go
/// to an O_DIRECT device as it is. Safe for use from any thread.
/// </summary>
/// <remarks>
/// Fresh memory costs a page fault for every 4 KiB, more than it costs to fill it: what one upload frees should serve the
/// requests of the next. So that idle buffers add little to the peak, buffers of other sizes are given up before new memory is
/// taken, where more than half of the bound is idle.
/// </remarks>
/// <param name="maxIdleBytes">How many bytes of returned buffers are kept for reuse; more go back to the system.</param>
public sealed class BufferPool(long maxIdleBytes) : IDisposable
{
    // Four classes a power of two: at most a quarter of a buffer is waste.
    private const int SmallestShift = 12;
    private const int StepsPerPower = 4;
    private readonly ConcurrentBag<PooledBuffer>[] _idle = [.. Enumerable.Range(0, (31 - SmallestShift) * StepsPerPower + 1).Select(_ => new ConcurrentBag<PooledBuffer>())];
    private long _idleBytes;
    private long _leastIdleBytes = long.MaxValue;
    private long _rentedBytes;
    private volatile bool _disposed;

    /// <summary>Bytes in buffers that somebody holds, counted at their full capacity.</summary>
    public long RentedBytes => Interlocked.Read(ref _rentedBytes);

    public long IdleBytes => Interlocked.Read(ref _idleBytes);

    /// <summary>Gets every buffer as it is made: the simulator frees what the nodes it killed still held.</summary>
    internal ICollection<PooledBuffer>? Made { get; init; }

    /// <summary>A buffer of <paramref name="length"/> bytes of unspecified content, held once.</summary>
    public PooledBuffer Rent(int length)
    {
        var sizeClass = ClassOf(length);
        if (_idle[sizeClass].TryTake(out var buffer))
        {
            Interlocked.Add(ref _idleBytes, -buffer.Capacity);
        }
        else
        {
            var capacity = CapacityOf(sizeClass);
            Free(Math.Min(capacity, IdleBytes - maxIdleBytes / 2));
            buffer = new PooledBuffer(this, sizeClass, capacity);
            Made?.Add(buffer);
        }

        // A lost race makes the next trim give up a little more or less than it should.
        Volatile.Write(ref _leastIdleBytes, Math.Min(IdleBytes, Volatile.Read(ref _leastIdleBytes)));
        Interlocked.Add(ref _rentedBytes, buffer.Capacity);
        buffer.Reuse(length);
        return buffer;
    }

    /// <summary>Gives the system back what nobody needed since the last call. To be called every few seconds.</summary>
    public void Trim() => Free(Math.Min(IdleBytes, Interlocked.Exchange(ref _leastIdleBytes, long.MaxValue)));

    public void Dispose()
    {
        _disposed = true;
        foreach (var buffer in _idle.SelectMany(bag => bag))
        {
            buffer.Free();
        }
    }

    /// <summary>The bytes that a buffer of this length really takes.</summary>
    public static int CapacityFor(int length) => CapacityOf(ClassOf(length));

    internal void Return(PooledBuffer buffer)
    {
        Interlocked.Add(ref _rentedBytes, -buffer.Capacity);
        if (_disposed || Interlocked.Add(ref _idleBytes, buffer.Capacity) > maxIdleBytes)
        {
            if (!_disposed)
            {
                Interlocked.Add(ref _idleBytes, -buffer.Capacity);
            }

            buffer.Free();
            return;
        }

        _idle[buffer.SizeClass].Add(buffer);
    }

    /// <summary>Frees idle buffers, large ones first, until there are none or so many bytes are free.</summary>
    /// <returns>The bytes freed.</returns>
    private long Free(long bytes)
    {
        var freed = 0L;
        for (var sizeClass = _idle.Length - 1; sizeClass >= 0 && freed < bytes && IdleBytes > 0; sizeClass--)
        {
            while (freed < bytes && _idle[sizeClass].TryTake(out var buffer))
            {
                Interlocked.Add(ref _idleBytes, -buffer.Capacity);
                freed += buffer.Capacity;
                buffer.Free();
            }
        }

        return freed;
    }

    private static int ClassOf(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length <= 1 << SmallestShift)
        {
            return 0;
        }

        var power = BitOperations.Log2((uint)(length - 1));
        var step = (length - 1 - (1 << power)) >> (power - 2);
        return (power - SmallestShift) * StepsPerPower + step + 1;
    }

    private static int CapacityOf(int sizeClass)
    {
        if (sizeClass == 0)
        {
            return 1 << SmallestShift;
        }

        var power = (sizeClass - 1) / StepsPerPower + SmallestShift;
        var step = (sizeClass - 1) % StepsPerPower + 1;
        return (int)Math.Min(int.MaxValue, (1L << power) + ((long)step << (power - 2)));
    }
}
