using Millrace.Protocol.Generator.Emit;
using Millrace.Protocol.Generator.Schema;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Protocol.Generator.Emit;

public sealed class MessageEmitterTests
{
    /// <summary>How generated code reads: simple, old and flexible, records, tags, nullable structures, coordinators' records.</summary>
    [Theory]
    [InlineData("HeartbeatRequest")]
    [InlineData("ProduceRequest")]
    [InlineData("FetchResponse")]
    [InlineData("OffsetFetchRequest")]
    [InlineData("DescribeTopicPartitionsRequest")]
    [InlineData("OffsetCommitValue")]
    [InlineData("RequestHeader")]
    public void Generated_code_reads_as_it_did(string name)
    {
        var source = MessageEmitter.Emit(Schemas.Messages[name], "Millrace.Protocol", name + ".kmsg");
        Golden.Check(Golden.PathOf("Generator", "Snapshots", name + ".txt"), source);
    }

    [Fact]
    public void A_record_of_another_project_lives_in_its_namespace_and_knows_its_id()
    {
        var schema = SchemaParser.Parse(
            """
            record TopicRecord  id 7  versions 0-1  flexible 0+
              # The name that clients use.
              Name     string  0+
              TopicId  uuid    1+
            """);
        Golden.Check(
            Golden.PathOf("Generator", "Snapshots", "TopicRecord.txt"),
            MessageEmitter.Emit(Assert.Single(schema.Messages), "Millrace.Metadata", "TopicRecord.kmsg"));
    }
}
