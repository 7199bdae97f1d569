using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Records;
using Millrace.Runtime.Ids;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

/// <summary>What is not taken, and with which error.</summary>
public sealed class ProduceRefusalTests
{
    public static TheoryData<string, ErrorCode> Malformed => new()
    {
        { "nothing", ErrorCode.InvalidRecord },
        { "no bytes", ErrorCode.InvalidRecord },
        { "cut off", ErrorCode.InvalidRecord },
        { "two batches", ErrorCode.InvalidRecord },
        { "old format", ErrorCode.InvalidRecord },
        { "unknown format", ErrorCode.CorruptMessage },
        { "length of no batch", ErrorCode.CorruptMessage },
        { "wrong checksum", ErrorCode.CorruptMessage },
        { "base offset", ErrorCode.InvalidRecord },
        { "no records", ErrorCode.InvalidRecord },
        { "other count", ErrorCode.InvalidRecord },
        { "control batch", ErrorCode.InvalidRecord },
        { "no sequence", ErrorCode.InvalidRecord },
        { "append time", ErrorCode.InvalidTimestamp },
        { "in a transaction", ErrorCode.InvalidTxnState },
        { "from the future", ErrorCode.InvalidTimestamp },
        { "too large", ErrorCode.MessageTooLarge },
        { "unknown codec", ErrorCode.UnsupportedCompressionType },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_batch_that_is_not_in_order_gets_its_error_and_leaves_no_trace(string fault, ErrorCode expected)
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 1, ("max.message.bytes", "2000"));
        var client = new DataPathClient(broker);
        var good = Batches.Of("a", "b");
        var batch = fault switch
        {
            "nothing" => null,
            "no bytes" => [],
            "cut off" => good[..^1],
            "two batches" => [.. good, .. good],
            "old format" => Batches.Altered(good, header => header with { Magic = 1 }),
            "unknown format" => Batches.Altered(good, header => header with { Magic = 3 }),
            "length of no batch" => Batches.Altered(good, header => header with { Length = 20 }),
            "wrong checksum" => [.. good[..^1], (byte)(good[^1] ^ 1)],
            "base offset" => Batches.Altered(good, header => header with { BaseOffset = 1 }),
            "no records" => Batches.Altered(good, header => header with { RecordCount = 0 }),
            "other count" => Batches.Altered(good, header => header with { RecordCount = 3 }),
            "control batch" => Batches.Altered(good, header => header with { Attributes = 0x20 }),
            "no sequence" => Batches.Altered(good, header => header with { ProducerId = 5, ProducerEpoch = 0, BaseSequence = -1 }),
            "append time" => Batches.Altered(good, header => header with { Attributes = 0x08 }),
            "in a transaction" => Batches.Altered(good, header => header with { Attributes = 0x10, ProducerId = 5, ProducerEpoch = 0, BaseSequence = 0 }),
            "from the future" => Batches.At(long.MaxValue / 2),
            "too large" => Batches.OfSize(2_100),
            "unknown codec" => Batches.Altered(good, header => header with { Attributes = 5 }),
            _ => throw new ArgumentOutOfRangeException(nameof(fault)),
        };

        var answer = await client.ProduceAsync(batch);

        Assert.Equal(expected, (ErrorCode)answer.ErrorCode);
        Assert.Equal(-1, answer.BaseOffset);
        Assert.False(string.IsNullOrEmpty(answer.ErrorMessage));
        Assert.Equal(0, (await broker.OpenAsync()).HighWatermark);
    }

    [Fact]
    public async Task The_records_to_blame_are_named()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

        var answer = await new DataPathClient(broker).ProduceAsync(Batches.At(now, now + 7_200_000, now, now + 7_200_000));

        Assert.Equal(ErrorCode.InvalidTimestamp, (ErrorCode)answer.ErrorCode);
        Assert.Equal([1, 3], answer.RecordErrors.Select(error => error.BatchIndex));
        Assert.All(answer.RecordErrors, error => Assert.False(string.IsNullOrEmpty(error.BatchIndexErrorMessage)));
    }

    [Fact]
    public async Task Compacted_topics_take_no_record_without_a_key()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 1, ("cleanup.policy", "compact"));
        var builder = new RecordBatchBuilder();
        builder.Append(1, (byte[]?)null, "v"u8.ToArray());

        var answer = await new DataPathClient(broker).ProduceAsync(builder.Build());

        Assert.Equal(ErrorCode.InvalidRecord, (ErrorCode)answer.ErrorCode);
        Assert.Equal([0], answer.RecordErrors.Select(error => error.BatchIndex));
    }

    [Fact]
    public async Task Zstd_needs_version_7()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        var batch = Batches.Of(CompressionCodec.Zstd, 1, "a");

        Assert.Equal(ErrorCode.UnsupportedCompressionType, (ErrorCode)(await client.ProduceAsync(batch, version: 6)).ErrorCode);
        Assert.Equal(ErrorCode.None, (ErrorCode)(await client.ProduceAsync(batch, version: 7)).ErrorCode);
    }

    [Fact]
    public async Task A_batch_larger_than_a_segment_is_refused()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 1, ("segment.bytes", "1048576"), ("max.message.bytes", "4000000"));

        var answer = await new DataPathClient(broker).ProduceAsync(Batches.OfSize(1_100_000));

        Assert.Equal(ErrorCode.RecordListTooLarge, (ErrorCode)answer.ErrorCode);
    }

    [Fact]
    public async Task Unknown_topics_and_partitions_are_told_apart_from_unknown_ids()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);

        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)(await client.ProduceAsync(Batches.Of("a"), version: 12, "u")).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicId, (ErrorCode)(await client.ProduceAsync(Batches.Of("a"), version: 13, "u")).ErrorCode);
        Assert.Equal(ErrorCode.None, (ErrorCode)(await client.ProduceAsync(Batches.Of("a"), version: 13)).ErrorCode);
        var (response, context) = await client.ProduceAsync(9, -1, 1_000, ("t", 1, Batches.Of("a")));
        context.Dispose();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)response.Responses[0].PartitionResponses[0].ErrorCode);
    }

    [Theory]
    [InlineData("PLAINTEXT", "other", 9093)]
    [InlineData("EXTERNAL", "outside", 19093)]
    [InlineData("UNKNOWN", null, 0)]
    public async Task A_partition_that_another_leads_is_refused_and_the_leader_named_as_the_client_reaches_it(string listener, string? host, int port)
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var client = new DataPathClient(broker) { Connection = TestContext.NewConnection(new ListenerName(listener)) };
        await client.ProduceAsync(Batches.Of("a"));
        broker.Publish(image => PartitionsUnderTest.With(image, topic with
        {
            Partitions = [topic.Partitions[0] with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(9) }],
        }));

        var (response, context) = await client.ProduceAsync(10, -1, 1_000, ("t", 0, Batches.Of("b")));
        context.Dispose();

        var answer = response.Responses[0].PartitionResponses[0];
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)answer.ErrorCode);
        if (host is null)
        {
            Assert.Null(answer.CurrentLeader);
            Assert.Empty(response.NodeEndpoints);
            return;
        }

        Assert.Equal((2, 9), (answer.CurrentLeader!.LeaderId, answer.CurrentLeader.LeaderEpoch));
        var endpoint = Assert.Single(response.NodeEndpoints);
        Assert.Equal((2, host, port, "rack"), (endpoint.NodeId, endpoint.Host, endpoint.Port, endpoint.Rack));
    }

    [Theory]
    [InlineData("__consumer_offsets")]
    [InlineData("__transaction_state")]
    public async Task Clients_do_not_write_to_internal_topics(string topic)
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync(topic);

        var answer = await new DataPathClient(broker).ProduceAsync(Batches.Of("a"), topic: topic);

        Assert.Equal(ErrorCode.InvalidTopicException, (ErrorCode)answer.ErrorCode);
    }

    [Fact]
    public async Task Acks_other_than_none_one_and_all_are_refused()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();

        var (response, context) = await new DataPathClient(broker).ProduceAsync(9, acks: 2, 1_000, ("t", 0, Batches.Of("a")));
        context.Dispose();

        Assert.Equal(ErrorCode.InvalidRequiredAcks, (ErrorCode)response.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal(0, (await broker.OpenAsync()).HighWatermark);
    }

    [Fact]
    public async Task Without_acks_there_is_no_answer_and_an_error_disconnects()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);

        var (_, good) = await client.ProduceAsync(9, acks: 0, 1_000, ("t", 0, Batches.Of("a")));
        var (_, bad) = await client.ProduceAsync(9, acks: 0, 1_000, ("u", 0, Batches.Of("a")));

        Assert.Equal((true, false), (good.Suppressed, good.Disconnected));
        Assert.True(bad.Disconnected);
        Assert.Equal(1, (await broker.OpenAsync()).HighWatermark);
        good.Dispose();
        bad.Dispose();
    }

    [Fact]
    public async Task Versions_before_3_disconnect()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();

        var (_, context) = await new DataPathClient(broker).ProduceAsync(2, acks: 1, 1_000, ("t", 0, Batches.Of("a")));

        Assert.True(context.Disconnected);
        context.Dispose();
    }
}
