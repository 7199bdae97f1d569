using System.Buffers;

namespace Millrace.Runtime.Buffers;

/// <summary>
/// A piece of native memory that several holders may share: a request's frame that the log cache keeps, say. It goes
/// back to its pool when the last holder lets go. Whoever rents it holds it once.
/// </summary>
/// <remarks>Threading: holding and releasing are safe from any thread; the content belongs to the first holder until it shares.</remarks>
public sealed unsafe class PooledBuffer : MemoryManager<byte>
{
    // No length, no magic byte and no small number, so that whoever takes it for one of these stumbles.
    private const byte PoisonByte = 0xDB;
    private readonly BufferPool _pool;
    private byte* _start;
    private bool _isPoisoned;
    private int _holders;
    private int _accountedHolders;

    internal PooledBuffer(BufferPool pool, int sizeClass, int capacity)
    {
        _pool = pool;
        SizeClass = sizeClass;
        Capacity = capacity;
        _start = NativePages.Allocate(capacity);
    }

    /// <summary>Bytes asked for.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes it takes.</summary>
    public int Capacity { get; }

    internal int SizeClass { get; }

    /// <summary>Somebody holds it, as far as one can say: the simulator looks for what it may spoil.</summary>
    internal bool IsHeld => Volatile.Read(ref _holders) > 0;

    public override Span<byte> GetSpan()
    {
        Invariant.Check(_holders > 0);
        return new Span<byte>(_start, Length);
    }

    /// <summary>Adds a holder; the caller must hold the buffer itself.</summary>
    public PooledBuffer Retain()
    {
        Invariant.Check(Interlocked.Increment(ref _holders) > 1);
        return this;
    }

    /// <summary>Lets go. The memory may be somebody else's from now on.</summary>
    public void Release()
    {
        var left = Interlocked.Decrement(ref _holders);
        Invariant.Check(left >= 0);
        if (left == 0)
        {
            _pool.Return(this);
        }
    }

    /// <summary>
    /// Adds a holder that keeps account of the memory it keeps alive, such as a bounded cache, and returns what to add to that
    /// account: the capacity for the first such holder, 0 while there is one. At most one account may be kept of a buffer.
    /// </summary>
    public int RetainAccounted()
    {
        Retain();
        return Interlocked.Increment(ref _accountedHolders) == 1 ? Capacity : 0;
    }

    /// <summary>Lets an accounted hold go and returns what to take off the account: the capacity for the last one, else 0.</summary>
    public int ReleaseAccounted()
    {
        var left = Interlocked.Decrement(ref _accountedHolders);
        Invariant.Check(left >= 0);
        Release();
        return left == 0 ? Capacity : 0;
    }

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
    }

    internal void Reuse(int length)
    {
        Length = length;
        Volatile.Write(ref _holders, 1);
    }

    internal void Poison()
    {
        new Span<byte>(_start, Capacity).Fill(PoisonByte);
        _isPoisoned = true;
    }

    /// <summary>Fails if somebody wrote into it while nobody held it.</summary>
    internal void CheckPoison()
    {
        Invariant.Check(!_isPoisoned || !new ReadOnlySpan<byte>(_start, Capacity).ContainsAnyExcept(PoisonByte));
        _isPoisoned = false;
    }

    /// <summary>Gives the memory back to the system, once and for all; again, it does nothing.</summary>
    internal void Free()
    {
        if (_start is null)
        {
            return;
        }

        NativePages.Free(_start, Capacity);
        _start = null;
    }

    protected override void Dispose(bool disposing) => Release();
}
