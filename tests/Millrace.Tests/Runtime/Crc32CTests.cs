using System.Text;
using Millrace.Runtime;
using Xunit;

namespace Millrace.Tests.Runtime;

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
}
