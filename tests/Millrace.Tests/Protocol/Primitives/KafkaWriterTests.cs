using System.Buffers;
using CsCheck;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Buffers;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Protocol.Primitives;

public sealed class KafkaWriterTests
{
    [Fact]
    public void A_value_that_a_version_cannot_carry_is_refused_unless_it_may_be_dropped()
    {
        var response = new ProduceResponse
        {
            Responses = [new() { Name = "t", PartitionResponses = [new() { LogStartOffset = 5, ErrorMessage = "dropped" }] }],
        };
        // Both are ignorable and not there in version 3.
        Assert.NotEmpty(MessageCodec.Write(response, 3));
        response.Responses[0].PartitionResponses[0].CurrentLeader = new() { LeaderId = 1, LeaderEpoch = 2 };
        Assert.Throws<ProtocolException>(() => MessageCodec.Write(response, 9));
        Assert.NotEmpty(MessageCodec.Write(response, 10));
    }

    [Fact]
    public void Unknown_tagged_fields_are_not_lost_in_a_version_without_tags()
    {
        var response = new ProduceResponse { UnknownTaggedFields = [new TaggedField(77, new byte[] { 1 })] };
        Assert.Throws<ProtocolException>(() => MessageCodec.Write(response, 8));
        Assert.NotEmpty(MessageCodec.Write(response, 9));
    }

    [Fact]
    public void Null_is_refused_where_a_version_demands_a_value()
    {
        Assert.Throws<ProtocolException>(() => MessageCodec.Write(new MetadataRequest { Topics = null }, 0));
        Assert.NotEmpty(MessageCodec.Write(new MetadataRequest { Topics = null }, 1));
    }

    [Fact]
    public void A_string_has_room_for_32767_bytes_in_the_old_encoding()
    {
        Assert.Equal(2 + short.MaxValue, Written(new string('a', short.MaxValue), flexible: false).Length);
        Assert.Throws<ProtocolException>(() => Written(new string('a', short.MaxValue + 1), flexible: false));
        Assert.Equal(3 + short.MaxValue + 1, Written(new string('a', short.MaxValue + 1), flexible: true).Length);
    }

    [Fact]
    public void Records_of_several_segments_are_written_one_after_the_other()
    {
        var records = new JoinedMemory();
        records.Add(new byte[] { 1, 2 });
        records.Add(new byte[] { 3 });
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteNullableRecords(records.ToSequence(), flexible: false);
        writer.Flush();
        Assert.Equal("00000003010203", Convert.ToHexString(output.WrittenSpan));
    }

    [Fact]
    public void Unsigned_varints_are_read_back_and_their_size_is_known()
    {
        Gen.UInt.Sample(value =>
        {
            var output = new ArrayBufferWriter<byte>();
            var writer = new KafkaWriter(output);
            writer.WriteUnsignedVarint(value);
            writer.Flush();
            Assert.Equal(output.WrittenCount, KafkaWriter.SizeOfUnsignedVarint(value));
            var reader = new KafkaReader(output.WrittenMemory);
            Assert.Equal(value, reader.ReadUnsignedVarint());
        });
    }

    private static byte[] Written(string text, bool flexible)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteString(text, flexible);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }
}
