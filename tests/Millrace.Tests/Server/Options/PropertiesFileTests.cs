using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

public sealed class PropertiesFileTests
{
    [Theory]
    [InlineData("a=b", "a", "b")]
    [InlineData("  a : b  ", "a", "b")]
    [InlineData("a b c", "a", "b c")]
    [InlineData("a", "a", "")]
    [InlineData("a=", "a", "")]
    [InlineData("a==b", "a", "=b")]
    [InlineData("a\\=b=c", "a=b", "c")]
    [InlineData("a=b\\\n   c", "a", "bc")]
    [InlineData("a=b\\\\", "a", "b\\")]
    [InlineData("a=\\u00e4\\tx", "a", "ä\tx")]
    [InlineData("a=b#c", "a", "b#c")]
    public void Entries_are_read_as_Java_does(string text, string key, string value)
    {
        var entry = Assert.Single(PropertiesFile.Parse(text));

        Assert.Equal((key, value), (entry.Key, entry.Value));
    }

    [Fact]
    public void Comments_and_blank_lines_are_no_entries() =>
        Assert.Equal(["x"], PropertiesFile.Parse("# a=b\r\n\r\n  ! c=d\r\nx=y\r\n").Select(entry => entry.Key));
}
