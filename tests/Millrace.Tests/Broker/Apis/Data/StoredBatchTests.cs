using System.Buffers;
using System.Text;
using Millrace.Protocol;
using Millrace.Protocol.Records;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

/// <summary>What becomes of a batch between its producer and its consumers.</summary>
public sealed class StoredBatchTests
{
    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Zstd)]
    public async Task Times_before_1970_are_stored_as_they_are(CompressionCodec codec)
    {
        long[] times = [-4_102_444_800_000, -86_400_000, -2];
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);

        Assert.Equal(ErrorCode.None, (ErrorCode)(await client.ProduceAsync(Batches.At(codec, times))).ErrorCode);

        var stored = RecordBatch.Split((await client.FetchAsync(0)).Records!.Value.ToArray()).Single();
        Assert.Equal(times, stored.ReadRecords(1 << 20).Select(record => record.Timestamp));
        Assert.Equal(-1, stored.Header.MaxTimestamp);
    }

    [Fact]
    public async Task Where_the_topic_keeps_the_append_time_it_replaces_the_producers()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 1, ("message.timestamp.type", "LogAppendTime"));
        var client = new DataPathClient(broker);
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        var answer = await client.ProduceAsync(Batches.At(5, 6));

        Assert.InRange(answer.LogAppendTimeMs, before, before + 600_000);
        var batch = Assert.Single(RecordBatch.Split((await client.FetchAsync(0)).Records!.Value.First));
        Assert.True(batch.IsIntact);
        Assert.Equal((TimestampType.LogAppendTime, answer.LogAppendTimeMs), (batch.Header.TimestampType, batch.Header.MaxTimestamp));
        Assert.Equal((0L, answer.LogAppendTimeMs), await OffsetAtAsync(client, answer.LogAppendTimeMs));
    }

    [Theory]
    [InlineData("uncompressed", CompressionCodec.None)]
    [InlineData("gzip", CompressionCodec.Gzip)]
    [InlineData("snappy", CompressionCodec.Snappy)]
    [InlineData("lz4", CompressionCodec.Lz4)]
    [InlineData("zstd", CompressionCodec.Zstd)]
    public async Task A_topics_own_codec_is_what_batches_are_stored_in(string setting, CompressionCodec expected)
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 1, ("compression.type", setting));
        var client = new DataPathClient(broker);
        foreach (var codec in Enum.GetValues<CompressionCodec>())
        {
            Assert.Equal((short)ErrorCode.None, (await client.ProduceAsync(Batches.Of(codec, 7, "a", codec.ToString()))).ErrorCode);
        }

        var records = (await client.FetchAsync(0)).Records!.Value;

        Assert.All(RecordBatch.Split(records.First), batch => Assert.Equal((expected, 7), (batch.Header.Codec, batch.Header.MaxTimestamp)));
        Assert.Equal(
            ["0:a", "1:None", "2:a", "3:Gzip", "4:a", "5:Snappy", "6:a", "7:Lz4", "8:a", "9:Zstd"], Batches.Read(records));
    }

    [Theory]
    [InlineData("gzip", "1", "9")]
    [InlineData("lz4", "9", "12")]
    [InlineData("zstd", "-100", "19")]
    public async Task A_topics_level_is_what_its_codec_compresses_with(string codec, string low, string high)
    {
        var random = new Random(1);
        var value = string.Join(' ', Enumerable.Range(0, 5_000).Select(_ => random.Next(1_000)));
        Assert.True(await StoredBytesAsync(high) < await StoredBytesAsync(low));

        async Task<int> StoredBytesAsync(string level)
        {
            await using var broker = PartitionsUnderTest.Start();
            await broker.AddTopicAsync("t", 1, ("compression.type", codec), ($"compression.{codec}.level", level));
            var client = new DataPathClient(broker);
            Assert.Equal((short)ErrorCode.None, (await client.ProduceAsync(Batches.Of(value))).ErrorCode);
            var records = (await client.FetchAsync(0)).Records!.Value;
            Assert.Equal(["0:" + value], Batches.Read(records));
            return (int)records.Length;
        }
    }

    [Fact]
    public async Task A_header_whose_largest_timestamp_is_wrong_is_put_right()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);

        await client.ProduceAsync(Batches.Altered(Batches.At(10, 30, 20), header => header with { MaxTimestamp = 999 }));

        var batch = Assert.Single(RecordBatch.Split((await client.FetchAsync(0)).Records!.Value.First));
        Assert.True(batch.IsIntact);
        Assert.Equal(30, batch.Header.MaxTimestamp);
    }

    [Fact]
    public async Task Headers_null_keys_and_null_values_come_back()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        var builder = new RecordBatchBuilder();
        builder.Append(1, (byte[]?)null, (byte[]?)null, [new RecordHeader("h", null), new RecordHeader("h", "v"u8.ToArray())]);
        builder.Append(2, [], []);
        var sent = builder.Build();

        await client.ProduceAsync(sent);

        var batch = Assert.Single(RecordBatch.Split((await client.FetchAsync(0)).Records!.Value.First));
        Assert.Equal(sent.AsSpan(RecordBatchHeader.Size).ToArray(), batch.Bytes[RecordBatchHeader.Size..].ToArray());
        var records = batch.ReadRecords(1 << 20).ToList();
        Assert.Null(records[0].Key);
        Assert.Null(records[0].Value);
        Assert.Equal(["h", "h"], records[0].Headers.Select(header => header.Key));
        Assert.Equal("v", Encoding.UTF8.GetString(records[0].Headers[1].Value!.Value.Span));
        Assert.Equal((0, 0), (records[1].Key!.Value.Length, records[1].Value!.Value.Length));
    }

    [Fact]
    public async Task Settings_changed_at_run_time_count_for_the_next_batch()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var client = new DataPathClient(broker);
        Assert.Equal((short)ErrorCode.None, (await client.ProduceAsync(Batches.OfSize(3_000))).ErrorCode);

        broker.Publish(image => PartitionsUnderTest.With(image, topic with { Configs = topic.Configs.Add("max.message.bytes", "2000") }));

        Assert.Equal(ErrorCode.MessageTooLarge, (ErrorCode)(await client.ProduceAsync(Batches.OfSize(3_000))).ErrorCode);
    }

    private static async Task<(long Offset, long Timestamp)> OffsetAtAsync(DataPathClient client, long timestamp)
    {
        var found = await client.ListOffsetsAsync(timestamp);
        return (found.Offset, found.Timestamp);
    }
}
