using System.Buffers;
using System.Text;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class RecordFormatTests
{
    private static readonly ConsumeResult<byte[]?, byte[]?> Record = new()
    {
        Topic = "tö",
        Partition = 3,
        Offset = 1L << 40,
        Message = new()
        {
            Key = "k"u8.ToArray(),
            Value = [0xFF, 0x00, (byte)'v'],
            Timestamp = new Timestamp(-1, TimestampType.CreateTime),
            Headers = [new Header("h", "1"u8.ToArray()), new Header("h", null), new Header("b", [0xFE])],
        },
    };

    [Theory]
    [InlineData("", "")]
    [InlineData("%v", "\u00FF\0v")]
    [InlineData("%t[%p] %o %k%%\\n\\t\\\\%T", "t\u00C3\u00B6[3] 1099511627776 k%\n\t\\-1")]
    [InlineData("%h", "h=1,h=,b=\u00FE")]
    public void Bytes_are_printed_as_they_are_and_numbers_as_digits(string format, string latin1) =>
        Assert.Equal(latin1, Encoding.Latin1.GetString(Print(RecordFormat.Parse(format), Record)));

    [Fact]
    public void JSON_has_all_of_a_record_in_a_line_of_text()
    {
        var json = Encoding.UTF8.GetString(Print(RecordFormat.Json, Record));
        Assert.Equal(
            """{"topic":"tö","partition":3,"offset":1099511627776,"timestamp":-1,"key":"k","value":{"base64":"/wB2"}""" +
            ""","headers":[["h","1"],["h",null],["b",{"base64":"/g=="}]]}""" + "\n",
            json);
    }

    [Fact]
    public void A_null_key_or_value_is_nothing_in_text_and_null_in_JSON()
    {
        var record = new ConsumeResult<byte[]?, byte[]?> { Topic = "t", Message = new() { Key = null, Value = null, Headers = [] } };
        Assert.Equal("=;", Encoding.UTF8.GetString(Print(RecordFormat.Parse("%k=%v;%h"), record)));
        Assert.Contains("\"key\":null,\"value\":null,\"headers\":[]", Encoding.UTF8.GetString(Print(RecordFormat.Json, record)), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_is_printed_is_needed()
    {
        Assert.Equal((false, false, false), Needs(RecordFormat.Parse("%k %v %p %o\\n")));
        Assert.Equal((true, true, true), Needs(RecordFormat.Parse("%t %T %h")));
        Assert.Equal((true, true, true), Needs(RecordFormat.Json));
    }

    [Theory]
    [InlineData("%x")]
    [InlineData("%")]
    [InlineData("\\")]
    public void A_format_that_means_nothing_is_refused(string format) => Assert.Throws<CommandFailedException>(() => RecordFormat.Parse(format));

    private static (bool Topic, bool Timestamp, bool Headers) Needs(RecordFormat format) => (format.NeedsTopic, format.NeedsTimestamp, format.NeedsHeaders);

    private static byte[] Print(RecordFormat format, ConsumeResult<byte[]?, byte[]?> record)
    {
        var output = new ArrayBufferWriter<byte>();
        format.Write(output, record);
        return output.WrittenSpan.ToArray();
    }
}
