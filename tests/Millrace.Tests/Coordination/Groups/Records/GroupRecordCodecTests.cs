using System.Buffers;
using CsCheck;
using Millrace.Coordination.Groups.Records;
using Millrace.Protocol.Primitives;
using Xunit;

namespace Millrace.Tests.Coordination.Groups.Records;

public sealed class GroupRecordCodecTests
{
    private readonly GroupRecordCodec _codec = new();
    private readonly GroupRecordReader _reader = new();

    [Fact]
    public void An_offset_is_written_as_Kafka_writes_it()
    {
        var record = new OffsetRecord("g", "t", 3, new CommittedOffset { Offset = 5, LeaderEpoch = 2, Metadata = "m", CommitTimestamp = 1000 });
        Assert.Equal("0001" + "000167" + "000174" + "00000003", Key(record));
        Assert.Equal("0003" + "0000000000000005" + "00000002" + "00016D" + "00000000000003E8", Value(record));
    }

    [Fact]
    public void An_offset_with_a_topic_id_takes_the_version_that_has_one()
    {
        var offset = new CommittedOffset { Offset = 5, CommitTimestamp = 1000, TopicId = new Guid("00112233-4455-6677-8899-aabbccddeeff") };
        Assert.Equal(
            "0004" + "0000000000000005" + "FFFFFFFF" + "01" + "00000000000003E8" + "01" + "00" + "10" + "00112233445566778899AABBCCDDEEFF",
            Value(new OffsetRecord("g", "t", 3, offset)));
    }

    [Fact]
    public void An_expiry_that_the_client_set_takes_the_only_version_that_has_one()
    {
        var offset = new CommittedOffset { Offset = 5, LeaderEpoch = 2, CommitTimestamp = 1000, ExpireTimestamp = 2000, TopicId = Guid.NewGuid() };
        Assert.Equal("0001" + "0000000000000005" + "0000" + "00000000000003E8" + "00000000000007D0", Value(new OffsetRecord("g", "t", 3, offset)));
    }

    [Fact]
    public void A_group_is_written_as_Kafka_writes_it()
    {
        var record = new GroupMetadataRecord("g", new GroupImage
        {
            ProtocolType = "consumer",
            Generation = 7,
            Protocol = "range",
            Leader = "m",
            StateTimestamp = 1000,
            Members =
            [
                new MemberImage
                {
                    MemberId = "m",
                    ClientId = "c",
                    ClientHost = "/h",
                    RebalanceTimeout = TimeSpan.FromSeconds(60),
                    SessionTimeout = TimeSpan.FromSeconds(10),
                    Subscription = new byte[] { 1, 2 },
                    Assignment = new byte[] { 3 },
                },
            ],
        });
        Assert.Equal("0002" + "000167", Key(record));
        Assert.Equal(
            "0003" + "0008636F6E73756D6572" + "00000007" + "000572616E6765" + "00016D" + "00000000000003E8"
            + "00000001" + "00016D" + "FFFF" + "000163" + "00022F68" + "0000EA60" + "00002710" + "000000020102" + "0000000103",
            Value(record));
    }

    [Fact]
    public void Removals_have_no_value()
    {
        Assert.Null(Value(new OffsetRecord("g", "t", 3, null)));
        Assert.Null(Value(new GroupMetadataRecord("g", null)));
        Assert.Equal(new OffsetRecord("g", "t", 3, null), Read(new OffsetRecord("g", "t", 3, null)));
        Assert.Equal(new GroupMetadataRecord("g", null), Read(new GroupMetadataRecord("g", null)));
    }

    [Fact]
    public void Offsets_survive_writing_and_reading()
    {
        var offsets = Gen.Select(Gen.Long, Gen.Int[-1, 100], Gen.String[0, 20], Gen.Long[0, long.MaxValue], Gen.Guid, Gen.Bool)
            .Select(parts => new CommittedOffset
            {
                Offset = parts.Item1,
                LeaderEpoch = parts.Item2,
                Metadata = parts.Item3,
                CommitTimestamp = parts.Item4,
                TopicId = parts.Item6 ? parts.Item5 : Guid.Empty,
            })
            .Where(offset => IsWellFormed(offset.Metadata));
        offsets.Sample(offset => Assert.Equal(new OffsetRecord("g", "t", 3, offset), Read(new OffsetRecord("g", "t", 3, offset))));
    }

    [Fact]
    public void Records_of_other_kinds_are_told_apart_and_damage_is_noticed()
    {
        Assert.False(_reader.TryRead(new byte[] { 0, 3, 0, 1, 65 }, null, out _));
        Assert.Throws<ProtocolException>(() => _reader.TryRead(new byte[] { 0, 1, 0, 1 }, null, out _));
        Assert.Throws<ProtocolException>(() => _reader.TryRead(Convert.FromHexString("0002000167"), new byte[] { 0, 3, 0, 9 }, out _));
    }

    [Fact]
    public void Names_that_come_again_are_told_from_others_and_kept_once()
    {
        OffsetRecord[] records =
        [
            Removed("group", "topic", 1), Removed("group", "topic", 1 << 24), Removed("group", "topics", 1), Removed("groupt", "opics", 1),
            Removed("group", "topic", 1),
        ];

        var read = records.Select(Read).ToList();

        Assert.Equal(records, read);
        Assert.Same(read[0].GroupId, read[1].GroupId);
        Assert.Same(((OffsetRecord)read[0]).Topic, ((OffsetRecord)read[1]).Topic);

        // What follows the last field is no part of it, whatever came before.
        Assert.True(_reader.TryRead(Convert.FromHexString(Key(records[0]) + "00000007"), null, out var longer));
        Assert.Equal(records[0], longer);
        Assert.True(_reader.TryRead(Convert.FromHexString(Key(records[0]) + "00000008"), null, out longer));
        Assert.Equal(records[0], longer);
    }

    private static OffsetRecord Removed(string group, string topic, int partition) => new(group, topic, partition, null);

    private static bool IsWellFormed(string text) => !text.Any(char.IsSurrogate);

    private string Key(GroupRecord record)
    {
        var key = new ArrayBufferWriter<byte>();
        _codec.WriteKey(record, key);
        return Convert.ToHexString(key.WrittenSpan);
    }

    private string? Value(GroupRecord record)
    {
        var value = new ArrayBufferWriter<byte>();
        return _codec.WriteValue(record, value) ? Convert.ToHexString(value.WrittenSpan) : null;
    }

    private GroupRecord Read(GroupRecord record)
    {
        var value = Value(record) is { } hex ? Convert.FromHexString(hex) : null;
        Assert.True(_reader.TryRead(Convert.FromHexString(Key(record)), value is null ? (ReadOnlyMemory<byte>?)null : value, out var read));
        return read;
    }
}
