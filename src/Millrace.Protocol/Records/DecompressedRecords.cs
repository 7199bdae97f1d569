using System.Buffers;

namespace Millrace.Protocol.Records;

/// <summary>Decompressed bytes in a borrowed array, which goes back when this is disposed of. Grows up to a limit.</summary>
public sealed class DecompressedRecords : IMemoryOwner<byte>
{
    private readonly ArrayPool<byte> _arrays;
    private readonly int _limit;
    private byte[] _array;

    internal DecompressedRecords(ArrayPool<byte> arrays, int limit, int expected)
    {
        _arrays = arrays;
        _limit = limit;
        _array = _arrays.Rent(Math.Clamp(expected, 1, Math.Max(1, limit)));
    }

    public Memory<byte> Memory => _array.AsMemory(0, Length);

    public ReadOnlySpan<byte> Span => _array.AsSpan(0, Length);

    public int Length { get; private set; }

    public void Dispose()
    {
        _arrays.Return(_array);
        _array = [];
        Length = 0;
    }

    /// <summary>Room behind what is there: as much as asked for, or all that the limit leaves.</summary>
    internal Span<byte> Reserve(int size)
    {
        var wanted = (int)Math.Min(_limit, (long)Length + size);
        if (wanted > _array.Length)
        {
            var larger = _arrays.Rent((int)Math.Min(_limit, Math.Max(wanted, 2L * _array.Length)));
            Span.CopyTo(larger);
            _arrays.Return(_array);
            _array = larger;
        }

        return _array.AsSpan(Length, Math.Min(_array.Length, _limit) - Length);
    }

    internal void Advance(int size) => Length += size;

    /// <summary>Forgets what stands behind a length.</summary>
    internal void Shorten(int length) => Length = length;
}
