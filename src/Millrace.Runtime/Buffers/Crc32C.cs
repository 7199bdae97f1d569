using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Millrace.Runtime.Buffers;

/// <summary>CRC-32C (Castagnoli) as Kafka's batches and our formats use it: initial value and final inversion included.</summary>
/// <remarks>
/// The processor's instruction answers after three cycles and can begin one every cycle, so three parts of the input are
/// taken side by side, each from a state of zero but for the first, and put together afterwards: checksums are linear,
/// and what a part's bytes behind it do to its state is what as many zeros do.
/// </remarks>
public static class Crc32C
{
    // Small enough that a record batch of 2 KB gains, large enough that putting together costs nothing beside it.
    private const int LaneBytes = 512;
    private const int Lanes = 3;
    private const uint Polynomial = 0x82F63B78;
    private static readonly uint[] BehindLane = TableOfZerosBehind(LaneBytes);

    // x, x^2, x^4, x^8 and so on: enough for the bits of any length of memory.
    private static readonly uint[] PowersOfX = Squares(1u << 30, 35);

    /// <summary>The checksum of some bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    public static uint Of(in ReadOnlySequence<byte> bytes)
    {
        var crc = 0u;
        foreach (var segment in bytes)
        {
            crc = Append(crc, segment.Span);
        }

        return crc;
    }

    /// <summary>The checksum of what <paramref name="crc"/> is the checksum of (0 for nothing), followed by <paramref name="bytes"/>.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        if (BitConverter.IsLittleEndian)
        {
            while (bytes.Length >= Lanes * LaneBytes)
            {
                crc = AppendLanes(crc, MemoryMarshal.Cast<byte, ulong>(bytes[..(Lanes * LaneBytes)]));
                bytes = bytes[(Lanes * LaneBytes)..];
            }
        }

        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }

    /// <summary>
    /// From how many bytes on joining their known checksum is cheaper than to <see cref="Append"/> them.
    /// </summary>
    public const int WorthJoining = 16 << 10;

    /// <summary>The checksum of two parts, one behind the other, from the checksums of each.</summary>
    /// <param name="first">Of the first part; 0 if it is empty.</param>
    /// <param name="second">Of the second part.</param>
    /// <param name="secondLength">Bytes of the second part.</param>
    public static uint Join(uint first, uint second, int secondLength)
    {
        // Seen as polynomials, the bytes behind the first part multiply its checksum by x to the number of their bits.
        var exponent = (ulong)secondLength * 8;
        for (var power = 0; exponent != 0; exponent >>= 1, power++)
        {
            if ((exponent & 1) != 0)
            {
                first = Multiply(first, PowersOfX[power]);
            }
        }

        return first ^ second;
    }

    private static uint AppendLanes(uint first, ReadOnlySpan<ulong> words)
    {
        const int LaneWords = LaneBytes / sizeof(ulong);
        var second = 0u;
        var third = 0u;
        var a = words[..LaneWords];
        var b = words.Slice(LaneWords, LaneWords);
        var c = words.Slice(2 * LaneWords, LaneWords);
        for (var i = 0; i < LaneWords; i++)
        {
            first = BitOperations.Crc32C(first, a[i]);
            second = BitOperations.Crc32C(second, b[i]);
            third = BitOperations.Crc32C(third, c[i]);
        }

        return PutBehindLane(PutBehindLane(first) ^ second) ^ third;
    }

    /// <summary>What a state becomes by a lane's length of zeros.</summary>
    private static uint PutBehindLane(uint state) =>
        BehindLane[state & 0xff]
        ^ BehindLane[0x100 + ((state >> 8) & 0xff)]
        ^ BehindLane[0x200 + ((state >> 16) & 0xff)]
        ^ BehindLane[0x300 + (state >> 24)];

    /// <summary>The product of two polynomials modulo the checksum's own; the highest bit is the constant term.</summary>
    private static uint Multiply(uint left, uint right)
    {
        var product = 0u;
        for (; left != 0; left <<= 1)
        {
            product ^= right & (uint)-(int)(left >> 31);
            right = (right >> 1) ^ (Polynomial & (uint)-(int)(right & 1));
        }

        return product;
    }

    private static uint[] Squares(uint value, int count)
    {
        var squares = new uint[count];
        for (var i = 0; i < count; i++, value = Multiply(value, value))
        {
            squares[i] = value;
        }

        return squares;
    }

    /// <summary>For each value of each of a state's four bytes, what it becomes by so many zeros.</summary>
    private static uint[] TableOfZerosBehind(int zeros)
    {
        var table = new uint[4 * 256];
        for (var bit = 0; bit < 32; bit++)
        {
            var state = 1u << bit;
            for (var i = 0; i < zeros; i += sizeof(ulong))
            {
                state = BitOperations.Crc32C(state, 0ul);
            }

            // A value is the sum of its bits.
            var row = bit / 8 * 256;
            for (var value = 0; value < 256; value++)
            {
                table[row + value] ^= (value >> (bit % 8) & 1) == 0 ? 0 : state;
            }
        }

        return table;
    }
}
