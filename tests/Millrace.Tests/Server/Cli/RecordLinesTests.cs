using System.Buffers;
using System.Text;
using Confluent.Kafka;
using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class RecordLinesTests
{
    private static readonly byte[] NoText = [0xff, 0x00, 0xfe, (byte)'\r'];

    [Fact]
    public async Task Lines_are_read_as_the_bytes_they_are()
    {
        using var input = new MemoryStream([.. NoText, (byte)'\n', (byte)'\n', (byte)'x']);

        var lines = await LineReader.ReadAsync(input, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        Assert.Equal([NoText, [], [(byte)'x']], lines);
    }

    [Fact]
    public void A_key_ends_at_the_first_separator_and_neither_side_need_be_text()
    {
        var (message, _) = new RecordLines(json: false, "::", [], emptyIsNull: false).Parse([.. NoText, .. "::"u8, .. NoText, .. "::"u8], 1);

        Assert.Equal(NoText, message.Key);
        Assert.Equal([.. NoText, .. "::"u8], message.Value!);
    }

    [Fact]
    public void What_consume_prints_as_JSON_is_read_back_as_the_same_record()
    {
        var record = new ConsumeResult<byte[]?, byte[]?>
        {
            Topic = "t",
            Partition = 3,
            Offset = 17,
            Message = new Message<byte[]?, byte[]?>
            {
                Key = NoText,
                Value = """{"a": "ü"}"""u8.ToArray(),
                Timestamp = new Timestamp(1_700_000_000_000, TimestampType.CreateTime),
                Headers = [new Header("twice", "1"u8.ToArray()), new Header("twice", NoText), new Header("none", null)],
            },
        };
        var printed = new ArrayBufferWriter<byte>();
        RecordFormat.Json.Write(printed, record);

        var (message, partition) = Json(Encoding.UTF8.GetString(printed.WrittenSpan));

        Assert.Equal(3, partition);
        Assert.Equal(record.Message.Key, message.Key);
        Assert.Equal(record.Message.Value, message.Value);
        Assert.Equal(record.Message.Timestamp, message.Timestamp);
        Assert.Equal(
            record.Message.Headers.Select(header => (header.Key, header.GetValueBytes())),
            message.Headers.Select(header => (header.Key, header.GetValueBytes())));
    }

    [Fact]
    public void Headers_may_be_an_object_and_other_JSON_values_are_their_text()
    {
        var (message, partition) = Json("""{"value": {"n": 1}, "headers": {"h": "x"}}""");

        Assert.Null(partition);
        Assert.Null(message.Key);
        Assert.Equal("""{"n":1}""", Encoding.UTF8.GetString(message.Value!));
        Assert.Equal("x"u8.ToArray(), Assert.Single(message.Headers).GetValueBytes());
    }

    [Theory]
    [InlineData("""{"vlaue": "x"}""", "'vlaue'")]
    [InlineData("""{"headers": [["only a name"]]}""", "pairs")]
    [InlineData("""{"headers": 7}""", "pairs")]
    [InlineData("""{"value": {"base64": "?"}}""", "\"?\" is no Base64.")]
    [InlineData("""{"value": {"base64": 1}}""", "1 is no Base64.")]
    [InlineData("""{"value": "x", "partition": "two"}""", "'partition' is a whole number, and not \"two\".")]
    [InlineData("""{"value": "x", "timestamp": 1.5}""", "'timestamp' is a whole number, and not 1.5.")]
    [InlineData("""{"value": "x", "value": "y"}""", "a name stands in it twice.")]
    [InlineData("""{"value": {"n": 1, "n": 2}}""", "a name stands in it twice.")]
    [InlineData("""{"value": "\ud800"}""", "half of a surrogate pair")]
    [InlineData("[]", "it is a list, and no object.")]
    [InlineData("null", "it is null, and no object.")]
    [InlineData("x", "'x' cannot stand at character 1.")]
    [InlineData("""{"value": "ü" "key"}""", "'\"' cannot stand at character 15.")]
    [InlineData("""{"value": "x"} y""", "'y' cannot stand at character 16.")]
    [InlineData("""{"value": "x" """, "it ends before the object does.")]
    [InlineData(" ", "it is empty.")]
    public void A_line_that_is_no_record_is_refused_by_its_number(string line, string said)
    {
        var refusal = Assert.Throws<CommandFailedException>(() => Json(line));

        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
        Assert.StartsWith("Line 7 ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("BytePosition", refusal.Message, StringComparison.Ordinal);
    }

    private static (Message<byte[]?, byte[]?> Message, int? Partition) Json(string line) =>
        new RecordLines(json: true, null, [], emptyIsNull: false).Parse(Encoding.UTF8.GetBytes(line), 7);
}
