using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Xunit;

namespace Millrace.Tests.Protocol.Primitives;

public sealed class KafkaReaderTests
{
    [Theory]
    [InlineData("00", 0u)]
    [InlineData("7F", 127u)]
    [InlineData("8001", 128u)]
    [InlineData("FFFFFFFF0F", uint.MaxValue)]
    [InlineData("8000", 0u)]
    public void Varints_have_up_to_five_bytes(string hex, uint expected)
    {
        var reader = new KafkaReader(Convert.FromHexString(hex));
        Assert.Equal(expected, reader.ReadUnsignedVarint());
        reader.ExpectEnd();
    }

    [Theory]
    [InlineData("FFFFFFFF1F")]
    [InlineData("808080808001")]
    [InlineData("FFFFFFFF")]
    [InlineData("")]
    public void Varints_beyond_32_bits_or_the_frame_are_refused(string hex) =>
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadUnsignedVarint());

    [Theory]
    [InlineData("7FFFFFFF")]
    [InlineData("00000002FF")]
    [InlineData("FFFFFFFE")]
    [InlineData("80000000")]
    public void Lengths_beyond_the_frame_and_below_null_are_refused(string hex)
    {
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableBytes(flexible: false));
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableInt32Array(flexible: false));
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableStringArray(flexible: false));
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableUuidArray(flexible: false));
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableArray<ResponseHeader>(0, flexible: false, minimumElementSize: 4));
    }

    [Theory]
    [InlineData("FFFFFFFF0F")]
    [InlineData("8080808008")]
    public void Compact_lengths_beyond_the_frame_are_refused(string hex)
    {
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableString(flexible: true));
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableRecords(flexible: true));
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadNullableInt64Array(flexible: true));
        AssertRefused(hex, (ref KafkaReader reader) => reader.ReadUnknownTaggedFields());
    }

    [Fact]
    public void Null_is_told_from_empty()
    {
        Assert.Null(Read("00", (ref KafkaReader reader) => reader.ReadNullableBytes(flexible: true)));
        Assert.Equal(0, Read("01", (ref KafkaReader reader) => reader.ReadNullableBytes(flexible: true))!.Value.Length);
        Assert.Null(Read("FFFFFFFF", (ref KafkaReader reader) => reader.ReadNullableRecords(flexible: false)));
        Assert.Equal(0, Read("00000000", (ref KafkaReader reader) => reader.ReadNullableRecords(flexible: false))!.Value.Length);
        Assert.Null(Read("FFFF", (ref KafkaReader reader) => reader.ReadNullableString(flexible: false)));
        Assert.Equal("", Read("0000", (ref KafkaReader reader) => reader.ReadNullableString(flexible: false)));
        Assert.Null(Read("FFFFFFFF", (ref KafkaReader reader) => reader.ReadNullableInt32Array(flexible: false)));
        Assert.Empty(Read("00000000", (ref KafkaReader reader) => reader.ReadNullableInt32Array(flexible: false))!);
    }

    [Fact]
    public void Null_where_a_value_must_be_is_refused()
    {
        AssertRefused("00", (ref KafkaReader reader) => reader.ReadString(flexible: true));
        AssertRefused("00", (ref KafkaReader reader) => reader.ReadBytes(flexible: true));
        AssertRefused("00", (ref KafkaReader reader) => reader.ReadRecords(flexible: true));
        AssertRefused("00", (ref KafkaReader reader) => reader.ReadInt8Array(flexible: true));
        AssertRefused("00", (ref KafkaReader reader) => reader.ReadArray<ResponseHeader>(0, flexible: true, minimumElementSize: 4));
    }

    [Fact]
    public void A_nullable_structure_begins_with_minus_one_or_one()
    {
        Assert.Null(Read("FF", (ref KafkaReader reader) => reader.ReadNullableStruct<ResponseHeader>(0)));
        Assert.Equal(7, Read("0100000007", (ref KafkaReader reader) => reader.ReadNullableStruct<ResponseHeader>(0))!.CorrelationId);
        AssertRefused("0000000007", (ref KafkaReader reader) => reader.ReadNullableStruct<ResponseHeader>(0));
    }

    [Fact]
    public void Bytes_that_are_no_text_become_replacement_characters() =>
        Assert.Equal("a\uFFFDb", Read("000361FF62", (ref KafkaReader reader) => reader.ReadString(flexible: false)));

    [Fact]
    public void A_known_tagged_field_must_fill_its_size()
    {
        // A Produce response of version 10 without topics, whose tag 0 is an empty array followed by one byte too many.
        Assert.Empty(ReadProduceResponse("01000000000100" + "01" + "01").NodeEndpoints);
        Assert.Throws<ProtocolException>(() => ReadProduceResponse("01000000000100" + "02" + "0100"));
    }

    [Fact]
    public void Unknown_tagged_fields_are_kept_and_come_out_in_order()
    {
        var response = ReadProduceResponse("01000000000209" + "01AA" + "05" + "02BBCC");
        Assert.Equal([9u, 5u], response.UnknownTaggedFields.Select(field => field.Tag));
        response.NodeEndpoints = [new() { NodeId = 1, Host = "h" }];
        Assert.Equal(
            "0100000000" + "03" + "000D" + "02000000010268" + "00000000" + "00" + "00" + "0502BBCC" + "0901AA",
            Convert.ToHexString(Messages.MessageCodec.Write(response, 10)));
    }

    [Fact]
    public void A_frame_holds_a_limited_number_of_elements()
    {
        // An array of a thousand empty strings.
        var frame = new byte[1002];
        Array.Fill(frame, (byte)1);
        (frame[0], frame[1]) = (0xe9, 0x07);
        var enough = new KafkaReader(frame, maxElements: 1000);
        Assert.Equal(1000, enough.ReadStringArray(flexible: true).Count);
        Assert.Throws<ProtocolException>(() => new KafkaReader(frame, maxElements: 999).ReadStringArray(flexible: true));
    }

    [Fact]
    public void Bytes_behind_a_message_are_refused_on_demand() =>
        AssertRefused("0000", (ref KafkaReader reader) =>
        {
            reader.ReadInt8();
            reader.ExpectEnd();
            return 0;
        });

    private static ProduceResponse ReadProduceResponse(string hex) =>
        Read(hex, (ref KafkaReader reader) => ProduceResponse.Read(ref reader, 10));

    private static T Read<T>(string hex, Reading<T> reading)
    {
        var reader = new KafkaReader(Convert.FromHexString(hex));
        var value = reading(ref reader);
        reader.ExpectEnd();
        return value;
    }

    private static void AssertRefused<T>(string hex, Reading<T> reading) =>
        Assert.Throws<ProtocolException>(() =>
        {
            var reader = new KafkaReader(Convert.FromHexString(hex));
            reading(ref reader);
        });

    private delegate T Reading<out T>(ref KafkaReader reader);
}
