using System.Text;
using Millrace.Runtime.Buffers;
using Xunit;

namespace Millrace.Tests.Runtime.Buffers;

public sealed class Crc32CTests
{
    [Fact]
    public void The_check_value_of_the_polynomial_is_met() =>
        Assert.Equal(0xE3069283u, Crc32C.Of(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void Appending_piece_by_piece_gives_the_checksum_of_the_whole()
    {
        var bytes = Encoding.ASCII.GetBytes("The quick brown fox jumps over the lazy dog");
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Crc32C.Of(bytes), Crc32C.Append(Crc32C.Of(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 7)]
    [InlineData(21, 0)]
    [InlineData(21, 1)]
    [InlineData(21, Crc32C.WorthJoining)]
    [InlineData(5000, (1 << 20) + 3)]
    [InlineData(1 << 20, (64 << 20) - 1)]
    public void Checksums_of_two_parts_give_the_one_of_the_whole(int first, int second)
    {
        var bytes = new byte[first + second];
        new Random(1).NextBytes(bytes);
        Assert.Equal(Crc32C.Of(bytes), Crc32C.Join(Crc32C.Of(bytes.AsSpan(0, first)), Crc32C.Of(bytes.AsSpan(first)), second));
    }
}
