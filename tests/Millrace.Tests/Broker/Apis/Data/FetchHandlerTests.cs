using System.Buffers;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

public sealed class FetchHandlerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_batch_that_contains_the_offset_comes_whole()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a", "b"));
        await client.ProduceAsync(Batches.Of("c", "d"));

        Assert.Equal(["2:c", "3:d"], Batches.Read((await client.FetchAsync(3)).Records));
    }

    [Fact]
    public async Task At_the_end_there_is_nothing_and_beyond_it_an_error()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a", "b"));

        var end = await client.FetchAsync(2);
        var beyond = await client.FetchAsync(3);
        var below = await client.FetchAsync(-1);

        Assert.Equal((ErrorCode.None, 2L, 2L, 0L), ((ErrorCode)end.ErrorCode, end.HighWatermark, end.LastStableOffset, end.LogStartOffset));
        Assert.Equal((ErrorCode.OffsetOutOfRange, -1L), ((ErrorCode)beyond.ErrorCode, beyond.HighWatermark));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (ErrorCode)below.ErrorCode);
    }

    [Fact]
    public async Task Below_the_log_start_is_out_of_range()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a", "b"));
        await client.ProduceAsync(Batches.Of("c"));
        Assert.Equal(2, (await client.DeleteRecordsAsync(2)).LowWatermark);

        Assert.Equal(ErrorCode.OffsetOutOfRange, (ErrorCode)(await client.FetchAsync(1)).ErrorCode);
        var rest = await client.FetchAsync(2);
        Assert.Equal(["2:c"], Batches.Read(rest.Records));
        Assert.Equal(2, rest.LogStartOffset);
    }

    [Theory]
    [InlineData(0, ErrorCode.FencedLeaderEpoch)]
    [InlineData(1, ErrorCode.None)]
    [InlineData(2, ErrorCode.UnknownLeaderEpoch)]
    [InlineData(-1, ErrorCode.None)]
    public async Task A_client_with_another_leader_epoch_is_told(int epoch, ErrorCode expected)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();

        var answer = await new DataPathClient(broker).FetchAsync(0, wanted => wanted.CurrentLeaderEpoch = epoch);

        Assert.Equal(expected, (ErrorCode)answer.ErrorCode);
    }

    [Theory]
    [InlineData(15, "PLAINTEXT", null, 0)]
    [InlineData(16, "PLAINTEXT", "other", 9093)]
    [InlineData(18, "EXTERNAL", "outside", 19093)]
    [InlineData(18, "UNKNOWN", null, 0)]
    public async Task From_version_16_on_whoever_asks_the_wrong_broker_is_told_who_leads_and_where_it_is_reached(
        short version, string listener, string? host, int port)
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        broker.Publish(image => PartitionsUnderTest.With(image, topic with
        {
            Partitions = [topic.Partitions[0] with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(9) }],
        }));
        var request = DataPathClient.Request(new FetchRequest.FetchPartition { Partition = 0, PartitionMaxBytes = 1000 });
        request.Topics[0].TopicId = topic.Id;

        var connection = TestContext.NewConnection(new ListenerName(listener));
        var (response, context) = await new DataPathClient(broker) { Connection = connection }.FetchAsync(request, version);

        using (context)
        {
            var answer = response.Responses[0].Partitions[0];
            Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)answer.ErrorCode);
            Assert.Equal(host is null ? (-1, -1) : (2, 9), (answer.CurrentLeader?.LeaderId ?? -1, answer.CurrentLeader?.LeaderEpoch ?? -1));
            Assert.Equal(
                host is null ? [] : [(2, host, port, "rack")],
                response.NodeEndpoints.Select(endpoint => (endpoint.NodeId, endpoint.Host, endpoint.Port, endpoint.Rack!)));
        }
    }

    [Fact]
    public async Task Unknown_topics_ids_and_partitions_have_their_errors()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("other");
        var client = new DataPathClient(broker);

        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)(await client.FetchAsync(0)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicId, (ErrorCode)(await client.FetchAsync(0, version: 13)).ErrorCode);
        await broker.AddTopicAsync();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)(await client.FetchAsync(0, wanted => wanted.Partition = 1)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)(await client.FetchAsync(0, wanted => wanted.Partition = -1)).ErrorCode);
    }

    [Fact]
    public async Task Topics_are_found_by_id_from_version_13_on()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a"));
        var request = DataPathClient.Request(new FetchRequest.FetchPartition { Partition = 0, PartitionMaxBytes = 1000 });
        request.Topics = [new FetchRequest.FetchTopic { TopicId = topic.Id, Partitions = request.Topics[0].Partitions }];

        var (response, context) = await client.FetchAsync(request, version: 17);

        using (context)
        {
            Assert.Equal(topic.Id, response.Responses[0].TopicId);
            Assert.Equal(["0:a"], Batches.Read(response.Responses[0].Partitions[0].Records));
        }
    }

    [Fact]
    public async Task The_first_batch_of_all_ignores_the_limits_and_the_others_keep_them()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 3);
        var client = new DataPathClient(broker);
        foreach (var partition in (int[])[1, 2])
        {
            (await client.ProduceAsync(9, -1, 30_000, ("t", partition, Batches.OfSize(1_000)))).Context.Dispose();
            (await client.ProduceAsync(9, -1, 30_000, ("t", partition, Batches.OfSize(1_000)))).Context.Dispose();
        }

        Assert.Equal("0 1 0", await CountAsync(client, maxBytes: 1, partitionMaxBytes: 1));
        Assert.Equal("0 1 1", await CountAsync(client, maxBytes: 2_500, partitionMaxBytes: 1_500));
        Assert.Equal("0 2 0", await CountAsync(client, maxBytes: 2_500, partitionMaxBytes: 10_000));
        Assert.Equal("0 2 1", await CountAsync(client, maxBytes: 3_500, partitionMaxBytes: 10_000));
        Assert.Equal("0 2 2", await CountAsync(client, maxBytes: 10_000, partitionMaxBytes: 10_000));
    }

    [Fact]
    public async Task Reads_from_the_object_store_keep_order_and_limits()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 3);
        var client = new DataPathClient(broker);
        foreach (var partition in (int[])[1, 2, 1, 2])
        {
            (await client.ProduceAsync(9, -1, 30_000, ("t", partition, Batches.OfSize(1_000)))).Context.Dispose();
        }

        // Nothing is left in memory: each read of the new incarnation goes to the store.
        await broker.RestartAsync();
        client = new DataPathClient(broker);

        // A read ends where a block of the test's tiny ones does: one batch each.
        Assert.Equal("0 1 0", await CountAsync(client, maxBytes: 1, partitionMaxBytes: 1));
        Assert.Equal("0 1 0", await CountAsync(client, maxBytes: 1_500, partitionMaxBytes: 10_000));
        Assert.Equal("0 1 1", await CountAsync(client, maxBytes: 2_500, partitionMaxBytes: 1_500));
        Assert.Equal("0 1 1", await CountAsync(client, maxBytes: 10_000, partitionMaxBytes: 10_000));
    }

    // Its checksum on arrival became part of its block's: had the broker altered the batch since, it could not be read.
    [Theory]
    [InlineData("CreateTime", false)]
    [InlineData("CreateTime", true)]
    [InlineData("LogAppendTime", false)]
    public async Task A_large_batch_is_read_back_from_the_object_store_as_it_was_stored(string timestampType, bool crashed)
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync(configs: ("message.timestamp.type", timestampType));
        var client = new DataPathClient(broker);
        var batch = Batches.OfSize(100_000);
        Assert.Equal(0, (await client.ProduceAsync(Batches.Of("first"))).ErrorCode);
        Assert.Equal(0, (await client.ProduceAsync(batch)).ErrorCode);

        await (crashed ? broker.CrashAsync() : broker.RestartAsync());
        var fetched = await new DataPathClient(broker).FetchAsync(1);

        Assert.Equal(0, fetched.ErrorCode);
        Assert.Equal([$"1:{Batches.Read(new ReadOnlySequence<byte>(batch))[0][2..]}"], Batches.Read(fetched.Records));
    }

    [Fact]
    public async Task A_response_that_is_full_reads_nothing_more_from_the_object_store()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 20);
        var client = new DataPathClient(broker);
        for (var partition = 0; partition < 20; partition++)
        {
            (await client.ProduceAsync(9, -1, 30_000, ("t", partition, Batches.OfSize(1_000)))).Context.Dispose();
        }

        await broker.RestartAsync();
        client = new DataPathClient(broker);
        for (var partition = 0; partition < 20; partition++)
        {
            await broker.OpenAsync("t", partition);
        }

        var before = broker.Storage.Reads;
        var request = DataPathClient.Request([.. Enumerable.Range(0, 20).Select(index => new FetchRequest.FetchPartition
        {
            Partition = index, FetchOffset = 0, PartitionMaxBytes = 10_000,
        })]);
        request.MaxBytes = 2_500;
        var (response, context) = await client.FetchAsync(request);
        using (context)
        {
            Assert.Equal(2, response.Responses[0].Partitions.Sum(answer => Batches.Read(answer.Records).Count));
        }

        // An index and a block for each of the two, and for the one that no longer fitted.
        Assert.InRange(broker.Storage.Reads - before, 1, 6);
    }

    [Fact]
    public async Task What_had_no_room_beside_reads_under_way_comes_once_they_are_done()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 3);
        var client = new DataPathClient(broker);
        (await client.ProduceAsync(9, -1, 30_000, ("t", 0, Batches.OfSize(1_000)))).Context.Dispose();
        await broker.RestartAsync();
        client = new DataPathClient(broker);
        (await client.ProduceAsync(9, -1, 30_000, ("t", 1, Batches.OfSize(5_000)))).Context.Dispose();
        (await client.ProduceAsync(9, -1, 30_000, ("t", 2, Batches.OfSize(3_000)))).Context.Dispose();
        await broker.OpenAsync();
        broker.Storage.BeforeRead = async _ => await Task.Yield();

        // The read from the store may take 10,000, until it is seen to take 1,000.
        Assert.Equal("1 1 1", await CountAsync(client, maxBytes: 11_000, partitionMaxBytes: 10_000, minBytes: 8_500).WaitAsync(Patience));
        Assert.Equal("1 1 0", await CountAsync(client, maxBytes: 8_000, partitionMaxBytes: 7_500, minBytes: 8_000).WaitAsync(Patience));
    }

    [Fact]
    public async Task A_fetch_that_leaves_records_out_does_not_wait_for_new_ones()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync("t", 3);
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.OfSize(1_000));
        await client.ProduceAsync(Batches.OfSize(1_000));

        Assert.Equal("1 0 0", await CountAsync(client, maxBytes: 10_000, partitionMaxBytes: 1_500, minBytes: 1_500).WaitAsync(Patience));

        // A read of blocks ends where one would have to come from the store.
        await broker.RestartAsync();
        client = new DataPathClient(broker);
        Assert.Equal("1 0 0", await CountAsync(client, maxBytes: 1, partitionMaxBytes: 1));
        Assert.Equal("1 0 0", await CountAsync(client, maxBytes: 10_000, partitionMaxBytes: 10_000, minBytes: 1_500).WaitAsync(Patience));
    }

    [Fact]
    public async Task A_fetch_waits_for_data_and_gets_it_when_it_is_durable()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        broker.Node.Wal.Hold();

        var fetch = client.FetchAsync(Waiting(minBytes: 1));
        var (produce, context) = client.BeginProduce(Batches.Of("a"));
        Assert.True(await Eventually.BecomesTrueAsync(() => context.NextAllowed && client.Purgatory.Waiting == 1));
        Assert.False(fetch.IsCompleted);
        broker.Node.Wal.Release();

        var (response, fetched) = await fetch.WaitAsync(Patience);
        Assert.Equal(["0:a"], Batches.Read(response.Responses[0].Partitions[0].Records));
        await produce;
        fetched.Dispose();
        context.Dispose();
        Assert.Equal(0, client.Purgatory.Waiting);
    }

    [Fact]
    public async Task A_fetch_waits_until_there_are_min_bytes()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.OfSize(1_000));

        var fetch = client.FetchAsync(Waiting(minBytes: 2_500));
        await client.ProduceAsync(Batches.OfSize(1_000));
        Assert.True(await Eventually.BecomesTrueAsync(() => client.Purgatory.Waiting == 1));
        Assert.False(fetch.IsCompleted);
        await client.ProduceAsync(Batches.OfSize(1_000));

        var (response, context) = await fetch.WaitAsync(Patience);
        Assert.Equal(3, Batches.Read(response.Responses[0].Partitions[0].Records).Count);
        context.Dispose();
    }

    [Fact]
    public async Task When_the_time_is_up_a_fetch_is_answered_with_what_there_is()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a"));
        var request = Waiting(minBytes: 1_000);
        request.MaxWaitMs = 20;

        var (response, context) = await client.FetchAsync(request).WaitAsync(Patience);

        Assert.Equal(["0:a"], Batches.Read(response.Responses[0].Partitions[0].Records));
        context.Dispose();
    }

    [Fact]
    public async Task A_topic_that_is_deleted_ends_the_wait_as_one_that_is_not_known()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        var fetch = client.FetchAsync(Waiting(minBytes: 1));
        Assert.True(await Eventually.BecomesTrueAsync(() => client.Purgatory.Waiting == 1));

        broker.Publish(image => PartitionsUnderTest.Without(image, topic));

        var (response, context) = await fetch.WaitAsync(Patience);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)response.Responses[0].Partitions[0].ErrorCode);
        context.Dispose();
    }

    [Fact]
    public async Task A_fetch_whose_client_is_gone_ends()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        using var gone = new CancellationTokenSource();
        var fetch = client.FetchAsync(Waiting(minBytes: 1), token: gone.Token);
        Assert.True(await Eventually.BecomesTrueAsync(() => client.Purgatory.Waiting == 1));

        gone.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch.WaitAsync(Patience));
        Assert.Equal(0, client.Purgatory.Waiting);
    }

    [Fact]
    public async Task An_error_in_one_partition_answers_at_once()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var request = Waiting(minBytes: 1);
        request.Topics = [new FetchRequest.FetchTopic { Topic = "t", Partitions = [Wanted(0), Wanted(7)] }];

        var (response, context) = await new DataPathClient(broker).FetchAsync(request).WaitAsync(Patience);

        Assert.Equal([0, (short)ErrorCode.UnknownTopicOrPartition], response.Responses[0].Partitions.Select(answer => answer.ErrorCode));
        context.Dispose();
    }

    [Fact]
    public async Task A_log_that_parts_from_the_clients_is_told_where()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await new DataPathClient(broker).ProduceAsync(Batches.Of("a", "b"));
        await broker.RestartAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("c"));

        var parted = await client.FetchAsync(3, wanted => wanted.LastFetchedEpoch = 1);
        var same = await client.FetchAsync(2, wanted => wanted.LastFetchedEpoch = 1);

        Assert.Equal((1, 2L), (parted.DivergingEpoch!.Epoch, parted.DivergingEpoch.EndOffset));
        Assert.Empty(Batches.Read(parted.Records));
        Assert.Equal(["2:c"], Batches.Read(same.Records));
    }

    [Theory]
    [InlineData(0, 0, ErrorCode.None)]
    [InlineData(0, -1, ErrorCode.None)]
    [InlineData(17, -1, ErrorCode.None)]
    [InlineData(17, 1, ErrorCode.FetchSessionIdNotFound)]
    public async Task Sessions_are_never_granted(int sessionId, int sessionEpoch, ErrorCode expected)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var request = DataPathClient.Request(Wanted(0));
        (request.SessionId, request.SessionEpoch) = (sessionId, sessionEpoch);

        var (response, context) = await new DataPathClient(broker).FetchAsync(request);

        Assert.Equal((expected, 0), ((ErrorCode)response.ErrorCode, response.SessionId));
        Assert.Equal(expected == ErrorCode.None ? 1 : 0, response.Responses.Count);
        context.Dispose();
    }

    [Fact]
    public async Task Records_stay_readable_until_the_response_is_written_and_are_let_go_then()
    {
        const int size = 200_000;
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.OfSize(size));
        var (response, context) = await client.FetchAsync(DataPathClient.Request(Wanted(0)));

        // The stream lets go of the batch; only the fetch holds it.
        await broker.Node.UploadAsync();
        Assert.Single(Batches.Read(response.Responses[0].Partitions[0].Records));
        Assert.True(broker.Buffers.RentedBytes >= size);
        context.Dispose();

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Buffers.RentedBytes < size));
    }

    [Fact]
    public async Task An_answer_gets_an_eighth_of_the_memory_that_is_left_and_a_batch_where_none_is()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync();
        for (var i = 0; i < 6; i++)
        {
            await new DataPathClient(broker).ProduceAsync(Batches.OfSize(100_000));
        }

        var client = new DataPathClient(broker, memoryBytes: broker.Buffers.RentedBytes + broker.Buffers.IdleBytes + 3_400_000);
        Assert.Equal(4, await CountAsync(client, Wanted(0)));
        var (_, held) = await client.FetchAsync(DataPathClient.Request(Wanted(0)));
        Assert.Equal(3, await CountAsync(client, Wanted(0)));
        held.Dispose();
        Assert.Equal(4, await CountAsync(client, Wanted(0)));
        Assert.Equal(1, await CountAsync(new DataPathClient(broker, memoryBytes: 0), Wanted(0)));
    }

    [Fact]
    public async Task A_fetch_that_waits_for_records_takes_no_memory_from_others()
    {
        await using var broker = PartitionsUnderTest.Start();
        await broker.AddTopicAsync(partitions: 2);
        for (var i = 0; i < 6; i++)
        {
            await new DataPathClient(broker).ProduceAsync(Batches.OfSize(100_000));
        }

        var client = new DataPathClient(broker, memoryBytes: broker.Buffers.RentedBytes + broker.Buffers.IdleBytes + 3_400_000);
        var waiting = Enumerable.Range(0, 5).Select(_ => client.FetchAsync(new FetchRequest
        {
            MaxWaitMs = 60_000,
            MinBytes = 1,
            MaxBytes = 1 << 20,
            Topics = [new FetchRequest.FetchTopic { Topic = "t", Partitions = [Wanted(1)] }],
        })).ToArray();
        Assert.True(await Eventually.BecomesTrueAsync(() => client.Purgatory.Waiting == waiting.Length));
        Assert.Equal(4, await CountAsync(client, Wanted(0)));

        var (produced, request) = await client.ProduceAsync(9, -1, 30_000, ("t", 1, Batches.Of("a")));
        Assert.Equal(0, produced.Responses[0].PartitionResponses[0].ErrorCode);
        request.Dispose();
        foreach (var fetch in waiting)
        {
            var (response, context) = await fetch.WaitAsync(Patience);
            Assert.Equal(["0:a"], Batches.Read(response.Responses[0].Partitions[0].Records));
            context.Dispose();
        }
    }

    /// <summary>How many records a fetch brings.</summary>
    private static async Task<int> CountAsync(DataPathClient client, FetchRequest.FetchPartition wanted)
    {
        var (response, context) = await client.FetchAsync(DataPathClient.Request(wanted));
        using (context)
        {
            return Batches.Read(response.Responses[0].Partitions[0].Records).Count;
        }
    }

    private static FetchRequest.FetchPartition Wanted(int partition) =>
        new() { Partition = partition, FetchOffset = 0, PartitionMaxBytes = 1 << 20 };

    private static FetchRequest Waiting(int minBytes)
    {
        var request = DataPathClient.Request(Wanted(0));
        (request.MinBytes, request.MaxWaitMs) = (minBytes, 300_000);
        return request;
    }

    private static async Task<string> CountAsync(DataPathClient client, int maxBytes, int partitionMaxBytes, int minBytes = 0)
    {
        var request = DataPathClient.Request([.. Enumerable.Range(0, 3).Select(index => new FetchRequest.FetchPartition
        {
            Partition = index, FetchOffset = 0, PartitionMaxBytes = partitionMaxBytes,
        })]);
        (request.MaxBytes, request.MinBytes, request.MaxWaitMs) = (maxBytes, minBytes, 300_000);
        var (response, context) = await client.FetchAsync(request);
        using (context)
        {
            return string.Join(" ", response.Responses[0].Partitions.Select(answer => Batches.Read(answer.Records).Count));
        }
    }
}
