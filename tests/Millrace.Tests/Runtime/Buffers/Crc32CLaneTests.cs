using System.Buffers;
using CsCheck;
using Millrace.Runtime.Buffers;
using Xunit;

namespace Millrace.Tests.Runtime.Buffers;

public sealed class Crc32CLaneTests
{
    [Fact]
    public void The_standards_check_value_comes_out()
    {
        Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));
    }

    [Fact]
    public void Every_length_and_cut_gives_the_checksum_computed_bit_by_bit()
    {
        Gen.Select(Gen.Byte.Array[0, 6000], Gen.Int[0, 6000]).Sample(
            (bytes, cut) =>
            {
                cut = Math.Min(cut, bytes.Length);
                var expected = BitByBit(bytes);
                Assert.Equal(expected, Crc32C.Of(bytes));
                Assert.Equal(expected, Crc32C.Append(Crc32C.Of(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
                Assert.Equal(expected, Crc32C.Of(new ReadOnlySequence<byte>(bytes)));
            },
            iter: 500);
    }

    private static uint BitByBit(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F63B78;
            }
        }

        return ~crc;
    }
}
