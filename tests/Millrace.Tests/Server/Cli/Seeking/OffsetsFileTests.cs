using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Seeking;
using Xunit;

namespace Millrace.Tests.Server.Cli.Seeking;

public sealed class OffsetsFileTests
{
    [Theory]
    [InlineData("a,0,5\nb,12,70\n")]
    [InlineData("\"a\",0,5\r\n\"b\",12,70")]
    [InlineData("g,a,0,5\nother,a,0,9\ng,b,12,70\n")]
    [InlineData("\"other, with a comma\",c,0,5\ng,a,0,5\n\ng,b,12,70\n")]
    public void What_Kafkas_tool_exports_is_read(string text) =>
        Assert.Equal(
            [(new TopicPartition("a", 0), 5L), (new TopicPartition("b", 12), 70L)],
            Parse(text).Select(offset => (offset.Key, offset.Value)));

    [Theory]
    [InlineData("a,0,5\na,1\n", "line 2 is not")]
    [InlineData("a,0,5\na,x,7\n", "line 2 is not")]
    [InlineData("a,0,-5\n", "line 1 is not")]
    [InlineData("a,0,5\na,0,6\n", "line 2 names a-0 again")]
    [InlineData("a,0,5\n\"a,1,7\n", "line 2 is not CSV")]
    [InlineData("other,a,0,5\n", "no line is for group 'g'")]
    [InlineData("", "no line is for group 'g'")]
    public void A_file_that_is_none_is_refused_by_its_line(string text, string said)
    {
        var refusal = Assert.Throws<CommandFailedException>(() => Parse(text));

        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyDictionary<TopicPartition, long> Parse(string text)
    {
        using var reader = new StringReader(text);
        return OffsetsFile.Parse(reader, "g");
    }
}
