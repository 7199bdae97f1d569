using System.Text;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;
using Xunit;

namespace Millrace.Tests.Coordination.Shards;

public sealed class RecordBufferTests
{
    [Fact]
    public void A_removal_has_no_value_rather_than_an_empty_one()
    {
        var codec = new GroupRecordCodec();
        var buffer = new RecordBuffer<GroupRecord>(codec);
        GroupRecord[] records =
        [
            new OffsetRecord("g", "t", 0, null),
            new OffsetRecord("g", "t", 1, new CommittedOffset { Offset = 5, CommitTimestamp = 1 }),
            new GroupMetadataRecord("g", null),
        ];
        foreach (var record in records)
        {
            buffer.Add(record);
        }

        var encoded = buffer.Take(3);
        Assert.Equal([false, true, false], encoded.Select(record => record.Value.HasValue));
        foreach (var (record, written) in encoded.Zip(records))
        {
            Assert.True(codec.NewReader().TryRead(record.Key, record.Value, out var read));
            Assert.Equal(written, read);
        }
    }

    [Fact]
    public void What_is_taken_in_parts_is_what_was_added()
    {
        var buffer = new RecordBuffer<long>(CounterShard.Codec);
        for (var number = 0; number < 10; number++)
        {
            buffer.Add(number);
        }

        Assert.Equal(["0", "1", "2"], Values(buffer.Take(3)));
        buffer.Drop(3);
        buffer.Add(10);
        Assert.Equal(["3", "4", "5", "6", "7", "8", "9", "10"], Values(buffer.Take(buffer.Count)));
        buffer.Drop(buffer.Count);
        Assert.Equal((0, 61), (buffer.Count, buffer.Size));
    }

    private static IEnumerable<string> Values(EncodedRecord[] records) => records.Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span)).ToList();
}
