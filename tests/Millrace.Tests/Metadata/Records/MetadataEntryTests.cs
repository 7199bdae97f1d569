using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Metadata.Records;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Metadata.Records;

public sealed class MetadataEntryTests
{
    private static readonly byte[] Golden =
        Convert.FromHexString(
            "01" + "000F0000" + "09" + "00000000000003E8" + "00"
            + "000D0000" + "15" + "00000001000200030405060708090A0B" + "0261" + "0262" + "00");

    [Fact]
    public void An_entry_has_the_bytes_that_were_agreed_on()
    {
        IRecord[] records =
        [
            new ProducerIdsRecord { NextProducerId = 1_000 },
            new TopicConfigRecord { TopicId = new Guid("00000001-0002-0003-0405-060708090A0B"), Name = "a", Value = "b" },
        ];

        var bytes = MetadataEntry.Write(records);

        Assert.Equal(Convert.ToHexString(Golden), Convert.ToHexString(bytes));
        var read = MetadataEntry.Read(bytes);
        Assert.Equal(1_000, Assert.IsType<ProducerIdsRecord>(read[0]).NextProducerId);
        Assert.Equal("b", Assert.IsType<TopicConfigRecord>(read[1]).Value);
    }

    [Fact]
    public void New_replicas_have_the_bytes_that_were_agreed_on()
    {
        var record = new PartitionReplicasRecord
        {
            TopicId = new Guid("00000001-0002-0003-0405-060708090A0B"),
            Assignments = [new() { Partition = 1, Replicas = [2, 3] }, new() { Partition = 4, Replicas = [5] }],
        };

        var bytes = MetadataEntry.Write([record]);

        Assert.Equal(
            "01" + "002400002A" + "00000001000200030405060708090A0B" + "03" + "00000001" + "03" + "00000002" + "00000003" + "00"
            + "00000004" + "02" + "00000005" + "00" + "00",
            Convert.ToHexString(bytes));
        var read = Assert.IsType<PartitionReplicasRecord>(Assert.Single(MetadataEntry.Read(bytes)));
        Assert.Equal([(1, "2,3"), (4, "5")], read.Assignments.Select(one => (one.Partition, string.Join(',', one.Replicas))));
    }

    [Fact]
    public void Every_reference_to_an_object_names_its_store_first()
    {
        const short Store = 0x0A0B;
        IRecord[] records =
        [
            new ObjectsPreparedRecord { StoreId = Store, FirstObjectId = 1 },
            new ObjectRecord { StoreId = Store, ObjectId = 1 },
            new ObjectsDeletingRecord { StoreId = Store, ObjectIds = [1] },
            new ObjectsRemovedRecord { StoreId = Store, ObjectIds = [1] },
            new UploadCommittedRecord { Objects = [new() { StoreId = Store, ObjectId = 1 }] },
            new ObjectCompactedRecord { StoreId = Store, ObjectId = 1 },
        ];

        Assert.Equal(
            "01"
            + "0019000023" + "0A0B" + "0000000000000001" + "00000000" + "00000000" + "0000000000000000" + "0000000000000000" + "00"
            + "001B000146" + "0A0B" + "0000000000000001" + "00" + "00" + "0000000000000000"
            + "0000000000000000" + "0000000000000000" + "00000000" + "0000000000000000" + "0000000000000000" + "00000000" + "0000000000000000" + "00" + "00"
            + "001D000014" + "0A0B" + "020000000000000001" + "0000000000000000" + "00"
            + "001E00000C" + "0A0B" + "020000000000000001" + "00"
            + "001A000130" + "02" + "0A0B" + "0000000000000001" + "00" + "0000000000000000" + "0000000000000000" + "0000000000000000"
            + "0000000000000000" + "00" + "00" + "01" + "00"
            + "002500002E" + "0A0B" + "0000000000000001" + "00" + "0000000000000000" + "0000000000000000" + "0000000000000000"
            + "0000000000000000" + "00" + "01" + "00",
            Convert.ToHexString(MetadataEntry.Write(records)));
    }

    [Fact]
    public void A_node_that_was_registered_before_listeners_had_names_is_reached_where_it_was()
    {
        var bytes = Convert.FromHexString(
            "01" + "00040000" + "28" + "00000003" + "0000000000000007" + "00000001000200030405060708090A0B"
            + "0568" + "6F7374" + "00002384" + "00" + "02" + "00");

        var image = MetadataEntry.Read(bytes).Aggregate(MetadataImage.Empty, (image, record) => image.Apply(record));

        var node = image.Nodes[new NodeId(3)];
        Assert.Equal(new NodeEpoch(7), node.Epoch);
        Assert.Equal([new NodeEndpoint(ListenerName.Plaintext, "host", 9092)], node.Endpoints);
        Assert.Null(node.Rack);
        Assert.Equal(NodeState.Fenced, node.State);
        Assert.Null(node.Program);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(2, 0x77)]
    [InlineData(4, 1)]
    [InlineData(5, 0x7F)]
    [InlineData(5, 8)]
    public void A_reader_stops_at_what_it_does_not_know(int position, byte value)
    {
        var bytes = Golden.ToArray();
        bytes[position] = value;

        Assert.Throws<ProtocolException>(() => MetadataEntry.Read(bytes));
    }

    [Fact]
    public void Every_record_type_has_a_number_of_its_own()
    {
        var records = typeof(MetadataEntry).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(IRecord))).ToArray();

        Assert.True(records.Length > 20);
        Assert.Distinct(records.Select(type => ((IRecord)Activator.CreateInstance(type)!).Id));
    }
}
