using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace Millrace.Runtime;

/// <summary>CRC-32C (Castagnoli) as Kafka's batches and our formats use it: initial value and final inversion included.</summary>
public static class Crc32C
{
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
}
