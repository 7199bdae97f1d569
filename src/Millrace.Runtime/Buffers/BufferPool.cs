using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Millrace.Runtime.Buffers;

/// <summary>
/// Hands out page-aligned native buffers and keeps returned ones for the next taker, up to a bound. Native, so that
/// a busy broker's data neither fragments nor enlarges the garbage collector's heap; aligned, so that a buffer can go
/// to an O_DIRECT device as it is. Safe for use from any thread.
/// </summary>
/// <remarks>
/// Fresh memory costs a page fault for every 4 KiB, more than it costs to fill it: what one upload frees should serve the
/// requests of the next. The sizes asked for change with the load, so the size that was not asked for longest is given up first:
/// beyond the bound, and, so that idle buffers add little to the peak, beyond half of it wherever new memory is taken.
/// </remarks>
/// <param name="maxIdleBytes">How many bytes of returned buffers are kept for reuse; more go back to the system.</param>
public sealed class BufferPool(long maxIdleBytes) : IDisposable
{
    // Whole pages, and beyond four of them four classes a power of two: at most a quarter of a buffer is waste.
    private const int PagedShift = 14;
    private const int StepsPerPower = 4;
    private const int PagedClasses = (1 << PagedShift) / NativePages.PageBytes;
    private readonly SizeClass[] _classes = [.. Enumerable.Range(0, PagedClasses + (31 - PagedShift) * StepsPerPower).Select(_ => new SizeClass())];
    private long _rents;
    private long _idleBytes;
    private long _leastIdleBytes = long.MaxValue;
    private long _rentedBytes;
    private volatile bool _disposed;

    /// <summary>Bytes in buffers that somebody holds, counted at their full capacity, and what is accounted besides.</summary>
    public long RentedBytes => Interlocked.Read(ref _rentedBytes);

    public long IdleBytes => Interlocked.Read(ref _idleBytes);

    /// <summary>Gets every buffer as it is made: the simulator frees what the nodes it killed still held.</summary>
    internal ICollection<PooledBuffer>? Made { get; init; }

    /// <summary>Asked before memory is taken, with its bytes; throws where there is to be none: tests and the simulator let it run out.</summary>
    internal Action<long>? Taking { get; init; }

    /// <summary>
    /// Returned buffers are filled with a pattern, which must still be there when they are rented again: whoever reads or writes what it
    /// has let go is found.
    /// </summary>
    internal bool Poisons { get; init; }

    /// <summary>A buffer of <paramref name="length"/> bytes of unspecified content, held once.</summary>
    /// <exception cref="OutOfMemoryException">There is no memory for it; nothing was taken.</exception>
    public PooledBuffer Rent(int length)
    {
        var sizeClass = ClassOf(length);
        Taking?.Invoke(CapacityOf(sizeClass));
        Volatile.Write(ref _classes[sizeClass].LastRent, Interlocked.Increment(ref _rents));
        if (TryTake(_classes[sizeClass]) is not { } buffer)
        {
            var capacity = CapacityOf(sizeClass);
            GiveUp(Math.Min(capacity, IdleBytes - maxIdleBytes / 2));
            buffer = new PooledBuffer(this, sizeClass, capacity);
            Made?.Add(buffer);
        }

        // A lost race makes the next trim give up a little more or less than it should.
        Volatile.Write(ref _leastIdleBytes, Math.Min(IdleBytes, Volatile.Read(ref _leastIdleBytes)));
        Interlocked.Add(ref _rentedBytes, buffer.Capacity);
        if (Poisons)
        {
            buffer.CheckPoison();
        }

        buffer.Reuse(length);
        return buffer;
    }

    /// <summary>
    /// A managed array for what grows with a backlog. It comes from here, so that its failing can be tried as that of a buffer; it is
    /// the collector's to free, and not counted.
    /// </summary>
    /// <exception cref="OutOfMemoryException">There is no memory for it.</exception>
    public T[] NewArray<T>(int length)
    {
        Taking?.Invoke((long)length * Unsafe.SizeOf<T>());
        return new T[length];
    }

    /// <summary>Gives the system back what nobody needed since the last call. To be called every few seconds.</summary>
    public void Trim() => GiveUp(Math.Min(IdleBytes, Interlocked.Exchange(ref _leastIdleBytes, long.MaxValue)));

    public void Dispose()
    {
        _disposed = true;
        while (IdleBytes > 0)
        {
            // Taken out as by anyone: a trim at the same moment must not free the same buffer. It may stop this round early, too.
            GiveUp(long.MaxValue);
        }
    }

    /// <summary>Counts memory that is no buffer of the pool's among what is held (or no more, if negative), for those who go by that.</summary>
    public void Account(long bytes) => Interlocked.Add(ref _rentedBytes, bytes);

    /// <summary>The bytes that a buffer of this length really takes.</summary>
    public static int CapacityFor(int length) => CapacityOf(ClassOf(length));

    internal void Return(PooledBuffer buffer)
    {
        Interlocked.Add(ref _rentedBytes, -buffer.Capacity);
        if (Poisons)
        {
            buffer.Poison();
        }

        var sizeClass = _classes[buffer.SizeClass];
        sizeClass.Idle.Add(buffer);
        Interlocked.Increment(ref sizeClass.IdleCount);
        var idle = Interlocked.Add(ref _idleBytes, buffer.Capacity);
        GiveUp(_disposed ? idle : idle - maxIdleBytes);
    }

    /// <summary>Frees idle buffers, of the size that was not asked for longest first, until there are none or so many bytes are free.</summary>
    private void GiveUp(long bytes)
    {
        while (bytes > 0 && Coldest() is { } sizeClass && TryTake(sizeClass) is { } buffer)
        {
            bytes -= buffer.Capacity;
            buffer.Free();
        }
    }

    private SizeClass? Coldest()
    {
        SizeClass? coldest = null;
        foreach (var sizeClass in _classes)
        {
            if (Volatile.Read(ref sizeClass.IdleCount) > 0 && (coldest is null || Volatile.Read(ref sizeClass.LastRent) < coldest.LastRent))
            {
                coldest = sizeClass;
            }
        }

        return coldest;
    }

    private PooledBuffer? TryTake(SizeClass sizeClass)
    {
        if (!sizeClass.Idle.TryTake(out var buffer))
        {
            return null;
        }

        Interlocked.Decrement(ref sizeClass.IdleCount);
        Interlocked.Add(ref _idleBytes, -buffer.Capacity);
        return buffer;
    }

    private static int ClassOf(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length <= 1 << PagedShift)
        {
            return Math.Max(length - 1, 0) / NativePages.PageBytes;
        }

        var power = BitOperations.Log2((uint)(length - 1));
        var step = (length - 1 - (1 << power)) >> (power - 2);
        return PagedClasses + (power - PagedShift) * StepsPerPower + step;
    }

    private static int CapacityOf(int sizeClass)
    {
        if (sizeClass < PagedClasses)
        {
            return (sizeClass + 1) * NativePages.PageBytes;
        }

        var power = (sizeClass - PagedClasses) / StepsPerPower + PagedShift;
        var step = (sizeClass - PagedClasses) % StepsPerPower + 1;
        return (int)Math.Min(int.MaxValue, (1L << power) + ((long)step << (power - 2)));
    }

    /// <summary>The idle buffers of one capacity.</summary>
    private sealed class SizeClass
    {
        public readonly ConcurrentBag<PooledBuffer> Idle = [];

        /// <summary>Never below what is in the bag for longer than a call takes: the bag's own count stops all its users.</summary>
        public int IdleCount;

        /// <summary>The number of the last rent.</summary>
        public long LastRent;
    }
}
