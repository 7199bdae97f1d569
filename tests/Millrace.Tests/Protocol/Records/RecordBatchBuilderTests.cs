using System.Buffers.Binary;
using CsCheck;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;
using Xunit;

namespace Millrace.Tests.Protocol.Records;

public sealed class RecordBatchBuilderTests
{
    [Fact]
    public void Records_are_read_back_as_they_were_appended()
    {
        Gen.Select(RecordGen.Codec, RecordGen.Record.Array[1, 20]).Sample(
            (codec, records) =>
            {
                var builder = new RecordBatchBuilder { Codec = codec, BaseOffset = 7_000_000_000 };
                foreach (var (timestamp, key, value, headers) in records)
                {
                    builder.Append(timestamp, key, value, headers);
                }

                var batch = Assert.Single(RecordBatch.Split(builder.Build()));
                Assert.True(batch.IsIntact);
                Assert.Equal(7_000_000_000 + records.Length, batch.Header.NextOffset);
                Assert.Equal(records.Max(record => record.Timestamp), batch.Header.MaxTimestamp);
                var read = batch.ReadRecords(maxDecompressedBytes: 1 << 26).ToList();
                Assert.Equal(records.Length, read.Count);
                for (var i = 0; i < records.Length; i++)
                {
                    Assert.Equal(7_000_000_000 + i, read[i].Offset);
                    Assert.Equal(records[i].Timestamp, read[i].Timestamp);
                    Assert.Equal(records[i].Key, read[i].Key?.ToArray());
                    Assert.Equal(records[i].Value, read[i].Value?.ToArray());
                    Assert.Equal(
                        records[i].Headers.Select(header => (header.Key, Convert.ToHexString((header.Value ?? default).Span), header.Value is null)),
                        read[i].Headers.Select(header => (header.Key, Convert.ToHexString((header.Value ?? default).Span), header.Value is null)));
                }
            },
            iter: 300);
    }

    [Fact]
    public void The_bytes_of_a_batch_stay_what_they_are()
    {
        var builder = new RecordBatchBuilder
        {
            ProducerId = 5, ProducerEpoch = 2, BaseSequence = 9, IsTransactional = true, PartitionLeaderEpoch = 3, BaseOffset = 4,
        };
        builder.Append(1000, "k"u8.ToArray(), "v"u8.ToArray(), [new RecordHeader("h", null)]);
        builder.Append(999, (byte[]?)null, null);
        Assert.Equal(
            "0000000000000004" + "0000004400000003" + "02" + "BB3C4B19" + "0010" + "00000001" + "00000000000003E8" + "00000000000003E8"
            + "0000000000000005" + "0002" + "00000009" + "00000002"
            + "16" + "00" + "00" + "00" + "026B" + "0276" + "02" + "026801" + "0C" + "00" + "01" + "02" + "01" + "01" + "00",
            Convert.ToHexString(builder.Build()));
    }

    [Fact]
    public void Patching_the_position_leaves_the_checksum_valid()
    {
        var bytes = Batch();
        RecordBatchPatch.SetPosition(bytes, baseOffset: 1L << 40, partitionLeaderEpoch: 77);
        var batch = Assert.Single(RecordBatch.Split(bytes));
        Assert.Equal(1L << 40, batch.Header.BaseOffset);
        Assert.Equal(77, batch.Header.PartitionLeaderEpoch);
        Assert.True(batch.IsIntact);
    }

    [Fact]
    public void Patching_the_timestamps_makes_them_those_of_every_record()
    {
        var bytes = Batch();
        RecordBatchPatch.SetTimestamps(bytes, TimestampType.LogAppendTime, maxTimestamp: 123_456);
        var batch = Assert.Single(RecordBatch.Split(bytes));
        Assert.True(batch.IsIntact);
        Assert.Equal(TimestampType.LogAppendTime, batch.Header.TimestampType);
        Assert.All(batch.ReadRecords(1 << 20), record => Assert.Equal(123_456, record.Timestamp));
    }

    [Fact]
    public void Splitting_leaves_out_a_batch_that_is_cut_off()
    {
        var two = Batch().Concat(Batch()).ToArray();
        Assert.Equal(2, RecordBatch.Split(two).Count());
        Assert.Single(RecordBatch.Split(two.AsMemory(0, two.Length - 1)));
        Assert.Empty(RecordBatch.Split(two.AsMemory(0, 10)));
    }

    [Fact]
    public void Splitting_refuses_what_is_no_batch()
    {
        var bytes = Batch();
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), -1);
        Assert.Throws<ProtocolException>(() => RecordBatch.Split(bytes).Count());
    }

    [Fact]
    public void Sequences_wrap_to_zero()
    {
        var header = new RecordBatchHeader { BaseSequence = int.MaxValue - 1, LastOffsetDelta = 3 };
        Assert.Equal(1, header.LastSequence);
        Assert.Equal(-1, new RecordBatchHeader { BaseSequence = -1, LastOffsetDelta = 3 }.LastSequence);
    }

    private static byte[] Batch()
    {
        var builder = new RecordBatchBuilder();
        builder.Append(5, "a"u8.ToArray(), "b"u8.ToArray());
        builder.Append(6, "c"u8.ToArray(), "d"u8.ToArray());
        return builder.Build();
    }
}
