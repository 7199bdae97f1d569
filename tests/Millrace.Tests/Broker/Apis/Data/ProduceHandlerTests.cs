using Millrace.Protocol;
using Millrace.Protocol.Records;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

public sealed class ProduceHandlerTests
{
    [Fact]
    public async Task Batches_get_offsets_in_order_and_come_back_as_they_were()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);

        var first = await client.ProduceAsync(Batches.Of("a", "b"));
        var second = await client.ProduceAsync(Batches.Of(CompressionCodec.Lz4, 5, "c"));

        Assert.Equal((0L, -1L, 0L), (first.BaseOffset, first.LogAppendTimeMs, first.LogStartOffset));
        Assert.Equal(2, second.BaseOffset);
        var fetched = await client.FetchAsync(0);
        Assert.Equal(["0:a", "1:b", "2:c"], Batches.Read(fetched.Records));
        Assert.Equal(3, fetched.HighWatermark);
        Assert.All(RecordBatch.Split(fetched.Records!.Value.First), batch => Assert.Equal(1, batch.Header.PartitionLeaderEpoch));
    }

    [Fact]
    public async Task Many_partitions_of_one_request_are_answered_in_its_order()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 40);
        var client = new DataPathClient(broker);

        var (response, context) = await client.ProduceAsync(
            9, -1, 30_000, [.. Enumerable.Range(0, 40).Select(index => ("t", index, (byte[]?)Batches.Of("to " + index)))]);
        context.Dispose();

        Assert.Equal(Enumerable.Range(0, 40), response.Responses.Select(topic => topic.PartitionResponses[0].Index));
        Assert.All(response.Responses, topic => Assert.Equal((short)ErrorCode.None, topic.PartitionResponses[0].ErrorCode));
        for (var i = 0; i < 40; i++)
        {
            var fetched = await client.FetchAsync(0, wanted => wanted.Partition = i);
            Assert.Equal(["0:to " + i], Batches.Read(fetched.Records));
        }
    }

    [Fact]
    public async Task Every_version_has_room_for_success_and_for_every_kind_of_refusal()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        await broker.AddTopicAsync("moved");
        broker.Publish(image => PartitionsUnderTest.With(image, topic with
        {
            Id = new Guid(77, 0, 0, new byte[8]), Name = "moved", Partitions = [topic.Partitions[0] with { Leader = PartitionsUnderTest.Other }],
        }));
        var client = new DataPathClient(broker);
        for (short version = 3; version <= 13; version++)
        {
            Assert.Equal(ErrorCode.None, (ErrorCode)(await client.ProduceAsync(Batches.Of("a"), version)).ErrorCode);
            Assert.Equal(ErrorCode.InvalidTimestamp, (ErrorCode)(await client.ProduceAsync(Batches.At(long.MaxValue / 2), version)).ErrorCode);
            Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)(await client.ProduceAsync(Batches.Of("a"), version, "moved")).ErrorCode);
        }

        for (short version = 4; version <= 18; version++)
        {
            var request = DataPathClient.Request(new FetchRequest.FetchPartition { PartitionMaxBytes = 1 });
            request.Topics = [.. ((string[])["t", "moved", "none"]).Select(name => new FetchRequest.FetchTopic
            {
                Topic = name,
                TopicId = broker.Feed.Image.TryGetTopic(name, out var known) ? known.Id : new Guid(99, 0, 0, new byte[8]),
                Partitions = request.Topics[0].Partitions,
            })];
            var (response, context) = await client.FetchAsync(request, version);
            Assert.Equal(["0:a"], Batches.Read(response.Responses[0].Partitions[0].Records));
            Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)response.Responses[1].Partitions[0].ErrorCode);
            Assert.Equal(
                version < 13 ? ErrorCode.UnknownTopicOrPartition : ErrorCode.UnknownTopicId, (ErrorCode)response.Responses[2].Partitions[0].ErrorCode);
            context.Dispose();
        }

        for (short version = 1; version <= 11; version++)
        {
            Assert.Equal(0, (await client.ListOffsetsAsync(-2, version)).Offset);
        }
    }
}
