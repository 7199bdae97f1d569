using Millrace.Protocol;
using Millrace.Protocol.Records;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

/// <summary>ListOffsets, OffsetForLeaderEpoch and DeleteRecords.</summary>
public sealed class OffsetHandlersTests
{
    [Fact]
    public async Task The_special_timestamps_name_their_offsets()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.At(10, 50));
        await client.ProduceAsync(Batches.At(50, 20));
        await client.DeleteRecordsAsync(1);

        Assert.Equal((4, -1, 1), await FindAsync(client, -1));
        Assert.Equal((1, -1, 1), await FindAsync(client, -2));
        Assert.Equal((1, 50, 1), await FindAsync(client, -3));
        Assert.Equal((1, -1, 1), await FindAsync(client, -4));
        Assert.Equal((-1, -1, -1), await FindAsync(client, -5));
        Assert.Equal((-1, -1, -1), await FindAsync(client, -6));
    }

    [Theory]
    [InlineData(-3, 6)]
    [InlineData(-4, 7)]
    [InlineData(-5, 8)]
    [InlineData(-6, 10)]
    public async Task A_special_timestamp_needs_the_version_that_brought_it(long timestamp, short tooOld)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);

        Assert.Equal(ErrorCode.UnsupportedVersion, (ErrorCode)(await client.ListOffsetsAsync(timestamp, tooOld)).ErrorCode);
        Assert.Equal(ErrorCode.None, (ErrorCode)(await client.ListOffsetsAsync(timestamp, (short)(tooOld + 1))).ErrorCode);
    }

    [Fact]
    public async Task The_newest_time_of_an_empty_partition_is_none()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();

        Assert.Equal((-1, -1, -1), await FindAsync(new DataPathClient(broker), -3));
    }

    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public async Task By_time_the_very_record_is_found_wherever_it_lies(CompressionCodec codec)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.At(codec, 10, 20, 15));
        await client.ProduceAsync(Batches.At(codec, 12, 30));
        await broker.Node.UploadAsync();
        await client.ProduceAsync(Batches.At(codec, 25, 40));

        Assert.Equal((0, 10, 1), await FindAsync(client, 0));
        Assert.Equal((0, 10, 1), await FindAsync(client, 10));
        Assert.Equal((1, 20, 1), await FindAsync(client, 11));
        Assert.Equal((4, 30, 1), await FindAsync(client, 21));
        Assert.Equal((6, 40, 1), await FindAsync(client, 31));
        Assert.Equal((-1, -1, -1), await FindAsync(client, 41));
    }

    [Fact]
    public async Task A_record_below_the_log_start_is_not_found_although_its_batch_is_there()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.At(50, 10));
        await client.ProduceAsync(Batches.At(5, 20));
        await client.ProduceAsync(Batches.At(45));
        await client.DeleteRecordsAsync(1);

        Assert.Equal((1, 10, 1), await FindAsync(client, 7));
        Assert.Equal((3, 20, 1), await FindAsync(client, 11));
        Assert.Equal((4, 45, 1), await FindAsync(client, 21));
        Assert.Equal((-1, -1, -1), await FindAsync(client, 46));
        Assert.Equal((4, 45, 1), await FindAsync(client, -3));
    }

    [Fact]
    public async Task What_is_not_durable_has_no_offset_yet()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.At(10));
        broker.Node.Wal.Hold();
        var (produce, context) = client.BeginProduce(Batches.At(20));
        Assert.True(await Eventually.BecomesTrueAsync(() => context.NextAllowed));

        Assert.Equal((1, -1, 1), await FindAsync(client, -1));
        Assert.Equal((0, 10, 1), await FindAsync(client, -3));
        Assert.Equal((-1, -1, -1), await FindAsync(client, 11));
        Assert.Equal(1, (await client.EpochEndAsync(1)).EndOffset);

        broker.Node.Wal.Release();
        await produce;
        context.Dispose();
        Assert.Equal((1, 20, 1), await FindAsync(client, 11));
    }

    [Fact]
    public async Task Epochs_unknown_topics_and_duplicates_are_errors()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);

        Assert.Equal(ErrorCode.FencedLeaderEpoch, (ErrorCode)(await client.ListOffsetsAsync(-1, currentLeaderEpoch: 0)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownLeaderEpoch, (ErrorCode)(await client.ListOffsetsAsync(-1, currentLeaderEpoch: 2)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)(await client.ListOffsetsAsync(-1, topic: "u")).ErrorCode);
        Assert.Equal(ErrorCode.FencedLeaderEpoch, (ErrorCode)(await client.EpochEndAsync(1, currentLeaderEpoch: 0)).ErrorCode);
    }

    [Fact]
    public async Task Each_epoch_ends_where_the_next_began()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await new DataPathClient(broker).ProduceAsync(Batches.Of("a", "b"));
        await broker.RestartAsync();
        await broker.OpenAsync();
        await broker.RestartAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("c"));

        Assert.Equal((1, 2L), await EndAsync(client, 1));

        // Epoch 2 wrote nothing: it ended where epoch 1 did.
        Assert.Equal((1, 2L), await EndAsync(client, 2));
        Assert.Equal((3, 3L), await EndAsync(client, 3));
        Assert.Equal((-1, -1L), await EndAsync(client, 4));
        Assert.Equal((0, 0L), await EndAsync(client, 0));
        Assert.Equal(3, (await client.ListOffsetsAsync(-1)).LeaderEpoch);
        Assert.Equal(1, (await client.ListOffsetsAsync(-2)).LeaderEpoch);
    }

    [Fact]
    public async Task Deleting_records_moves_the_log_start_and_only_forward()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a", "b", "c"));

        Assert.Equal((2L, ErrorCode.None), await DeleteAsync(client, 2));
        Assert.Equal((2L, ErrorCode.None), await DeleteAsync(client, 1));
        Assert.Equal((-1L, ErrorCode.OffsetOutOfRange), await DeleteAsync(client, 4));
        Assert.Equal((-1L, ErrorCode.OffsetOutOfRange), await DeleteAsync(client, -2));
        Assert.Equal((3L, ErrorCode.None), await DeleteAsync(client, -1));
        Assert.Equal((3, -1, 1), await FindAsync(client, -2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Records_are_deleted_however_short_the_time_out(int timeoutMs)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a", "b", "c"));

        var answer = await client.DeleteRecordsAsync(2, timeoutMs: timeoutMs);

        Assert.Equal((ErrorCode.None, 2L), ((ErrorCode)answer.ErrorCode, answer.LowWatermark));
        Assert.Equal(2, (await broker.OpenAsync()).LogStartOffset);
    }

    [Fact]
    public async Task Records_of_compacted_and_internal_topics_are_not_deleted()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 1, ("cleanup.policy", "compact"));
        await broker.AddTopicAsync("__consumer_offsets");
        var client = new DataPathClient(broker);

        Assert.Equal(ErrorCode.PolicyViolation, (ErrorCode)(await client.DeleteRecordsAsync(-1)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, (ErrorCode)(await client.DeleteRecordsAsync(-1, "__consumer_offsets")).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)(await client.DeleteRecordsAsync(-1, "u")).ErrorCode);
    }

    private static async Task<(long Offset, long Timestamp, int LeaderEpoch)> FindAsync(DataPathClient client, long timestamp)
    {
        var found = await client.ListOffsetsAsync(timestamp);
        Assert.Equal((short)ErrorCode.None, found.ErrorCode);
        return (found.Offset, found.Timestamp, found.LeaderEpoch);
    }

    private static async Task<(int Epoch, long EndOffset)> EndAsync(DataPathClient client, int epoch)
    {
        var end = await client.EpochEndAsync(epoch);
        Assert.Equal((short)ErrorCode.None, end.ErrorCode);
        return (end.LeaderEpoch, end.EndOffset);
    }

    private static async Task<(long LowWatermark, ErrorCode Error)> DeleteAsync(DataPathClient client, long offset)
    {
        var deleted = await client.DeleteRecordsAsync(offset);
        return (deleted.LowWatermark, (ErrorCode)deleted.ErrorCode);
    }
}
