using System.Buffers;
using System.Text;
using Millrace.Broker.Partitions.Intake;
using Millrace.Protocol;
using Millrace.Protocol.Records;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis;

public sealed class ProduceHandlerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

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

    [Fact]
    public async Task A_partition_that_another_leads_is_refused_and_the_leader_named()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var client = new DataPathClient(broker);
        await client.ProduceAsync(Batches.Of("a"));
        broker.Publish(image => PartitionsUnderTest.With(image, topic with
        {
            Partitions = [topic.Partitions[0] with { Leader = PartitionsUnderTest.Other, Epoch = new StreamEpoch(9) }],
        }));

        var (response, context) = await client.ProduceAsync(10, -1, 1_000, ("t", 0, Batches.Of("b")));
        context.Dispose();

        var answer = response.Responses[0].PartitionResponses[0];
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)answer.ErrorCode);
        Assert.Equal((2, 9), (answer.CurrentLeader!.LeaderId, answer.CurrentLeader.LeaderEpoch));
        var endpoint = Assert.Single(response.NodeEndpoints);
        Assert.Equal((2, "other", 9093, "rack"), (endpoint.NodeId, endpoint.Host, endpoint.Port, endpoint.Rack));
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

    [Fact]
    public async Task Nothing_is_acknowledged_before_it_is_durable_but_the_next_request_may_begin()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var partition = await broker.OpenAsync();
        var client = new DataPathClient(broker);
        broker.Node.Wal.Hold();

        var (first, context) = client.BeginProduce(Batches.Of("a"));
        var (second, next) = client.BeginProduce(Batches.Of("b"));

        Assert.True(await Eventually.BecomesTrueAsync(() => context.NextAllowed && next.NextAllowed));
        Assert.False(first.IsCompleted);
        Assert.Equal(0, partition.HighWatermark);
        Assert.Empty(Batches.Read((await client.FetchAsync(0)).Records));
        broker.Node.Wal.Release();
        Assert.Equal(0, (await first.WaitAsync(Patience)).Responses[0].PartitionResponses[0].BaseOffset);
        Assert.Equal(1, (await second.WaitAsync(Patience)).Responses[0].PartitionResponses[0].BaseOffset);
        context.Dispose();
        next.Dispose();
    }

    [Fact]
    public async Task What_is_not_durable_in_time_is_answered_with_a_time_out()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        broker.Node.Wal.Hold();

        var answer = await client.ProduceAsync(Batches.Of("a"), timeoutMs: 20);

        Assert.Equal(ErrorCode.RequestTimedOut, (ErrorCode)answer.ErrorCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(1)]
    public async Task What_has_its_offset_is_waited_for_however_short_the_time_out(int timeoutMs)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        broker.Node.Wal.Hold();

        var (response, context) = client.BeginProduce(Batches.Of("a"), timeoutMs);
        Assert.True(await Eventually.BecomesTrueAsync(() => context.NextAllowed));
        broker.Node.Wal.Release();

        Assert.Equal((short)ErrorCode.None, (await response.WaitAsync(Patience)).Responses[0].PartitionResponses[0].ErrorCode);
        context.Dispose();
    }

    [Fact]
    public async Task A_batch_without_time_does_not_wait_for_room_and_leaves_no_trace()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(TestNodeOptions(notUploadedBytes: 64 << 10));
        var client = new DataPathClient(broker);
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "PrepareAsync" ? new ValueTask(stuck.Task) : default;
        var (waiting, context) = await client.FillAsync();

        Assert.Equal(ErrorCode.RequestTimedOut, (ErrorCode)(await client.ProduceAsync(Batches.Of("late"), timeoutMs: 0)).ErrorCode);

        stuck.SetResult();
        var last = (await waiting.WaitAsync(Patience)).Responses[0].PartitionResponses[0];
        Assert.Equal(last.BaseOffset + 1, (await client.ProduceAsync(Batches.Of("after"))).BaseOffset);
        context.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Without_acks_of_all_a_batch_waits_for_room_before_the_next_request_begins(short acks)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(TestNodeOptions(notUploadedBytes: 64 << 10));
        var client = new DataPathClient(broker);
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "PrepareAsync" ? new ValueTask(stuck.Task) : default;
        var (waiting, context) = await client.FillAsync();
        var (parked, next) = client.BeginProduce(Batches.Of("a"), timeoutMs: 0, acks);

        Assert.True(await Eventually.BecomesTrueAsync(() => broker.Node.Store.Budget.Waiting == 2));
        Assert.False(next.NextAllowed);
        stuck.SetResult();

        await Task.WhenAll(waiting, parked).WaitAsync(Patience);
        Assert.Equal((true, acks == 0, false), (next.NextAllowed, next.Suppressed, next.Disconnected));
        context.Dispose();
        next.Dispose();
    }

    [Fact]
    public async Task A_failure_of_one_partition_is_its_own_and_waits_for_those_that_are_parked()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(TestNodeOptions(notUploadedBytes: 64 << 10));
        await broker.AddTopicAsync("parked");
        await broker.AddTopicAsync("zipped", 1, ("compression.type", "gzip"));
        var parked = await broker.OpenAsync("parked");
        await broker.OpenAsync("zipped");
        var client = new DataPathClient(broker);
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "PrepareAsync" ? new ValueTask(stuck.Task) : default;
        var (waiting, waitingContext) = await client.FillAsync();

        // A fault of ours, such as no check foresees, where the second batch is given the form that it is to be stored in.
        var frameTaken = false;
        var here = Environment.CurrentManagedThreadId;
        broker.Node.Taking = _ =>
        {
            if (Environment.CurrentManagedThreadId != here)
            {
                return;
            }

            if (frameTaken)
            {
                throw new InvalidOperationException("The test's fault");
            }

            frameTaken = true;
        };
        var (response, context) = client.BeginProduce(
            timeoutMs: 300_000, acks: -1, ("parked", 0, Batches.Of(new string('G', 20_000))), ("zipped", 0, Batches.Of("z")), ("t", 0, Batches.Of("t")));
        Assert.True(frameTaken);
        broker.Node.Taking = null;
        Assert.False(response.IsCompleted);
        Assert.False(context.NextAllowed);
        stuck.SetResult();

        await waiting.WaitAsync(Patience);
        var answers = (await response.WaitAsync(Patience)).Responses;
        Assert.Equal(
            [(short)ErrorCode.None, (short)ErrorCode.UnknownServerError, (short)ErrorCode.None],
            answers.Select(topic => topic.PartitionResponses[0].ErrorCode));
        waitingContext.Dispose();
        context.Dispose();
        using var read = await broker.Node.Store.Streams.Single(stream => stream.Id == broker.Feed.Image.Topics["parked"].Partitions[0].Stream).ReadAsync(0, 1 << 20, default);
        Assert.Equal(["0:" + new string('G', 20_000)], Batches.Read(read));
        Assert.Equal(1, parked.HighWatermark);
    }

    [Fact]
    public async Task A_parked_batch_keeps_its_memory_though_its_caller_lets_it_go()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(TestNodeOptions(notUploadedBytes: 64 << 10));
        await broker.AddTopicAsync("parked");
        var partition = await broker.OpenAsync("parked");
        var client = new DataPathClient(broker);
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "PrepareAsync" ? new ValueTask(stuck.Task) : default;
        var (waiting, context) = await client.FillAsync();
        var frame = Batches.Frame(broker.Buffers, Batches.Of(new string('G', 20_000)));
        var batch = new ProducedBatch(frame.Memory, frame, 1, -1, -1, -1, -1, StampsAppendTime: false);
        var append = partition.AppendAsync(batch, fromReserve: false, default).AsTask();

        frame.Release();
        using (var stranger = broker.Buffers.Rent(frame.Length))
        {
            stranger.GetSpan().Fill((byte)'E');
            stuck.SetResult();
            await waiting.WaitAsync(Patience);
            await (await append.WaitAsync(Patience)).Durable;
        }

        context.Dispose();
        using var read = await broker.Node.Store.Streams.Single(stream => stream.Id == broker.Feed.Image.Topics["parked"].Partitions[0].Stream).ReadAsync(0, 1 << 20, default);
        Assert.Equal(["0:" + new string('G', 20_000)], Batches.Read(read));
    }

    [Fact]
    public async Task A_failed_write_has_an_unknown_outcome_which_is_a_time_out()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        broker.Node.Wal.Hold();

        var (response, context) = client.BeginProduce(Batches.Of("a"));
        Assert.True(await Eventually.BecomesTrueAsync(() => context.NextAllowed));
        broker.Node.Wal.Fail(StreamError.Fenced);

        Assert.Equal(ErrorCode.RequestTimedOut, (ErrorCode)(await response.WaitAsync(Patience)).Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)(await client.ProduceAsync(Batches.Of("b"))).ErrorCode);
        context.Dispose();
    }

    [Fact]
    public async Task A_parked_batch_whose_time_is_up_never_gets_an_offset()
    {
        // Room for one frame; uploads, which would make more, do not get through.
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(TestNodeOptions(notUploadedBytes: 64 << 10));
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "PrepareAsync" ? new ValueTask(stuck.Task) : default;
        var (waiting, context) = await client.FillAsync();
        var end = (await broker.OpenAsync()).HighWatermark;
        Assert.Equal(ErrorCode.RequestTimedOut, (ErrorCode)(await client.ProduceAsync(Batches.Of("late"), timeoutMs: 50)).ErrorCode);

        stuck.SetResult();
        Assert.Equal(end, (await waiting.WaitAsync(Patience)).Responses[0].PartitionResponses[0].BaseOffset);
        context.Dispose();
        var next = await client.ProduceAsync(Batches.Of("after"));
        Assert.Equal((short)ErrorCode.None, next.ErrorCode);
        Assert.Equal(end + 1, next.BaseOffset);
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
        var records = batch.ReadRecords(1 << 20);
        Assert.Null(records[0].Key);
        Assert.Null(records[0].Value);
        Assert.Equal(["h", "h"], records[0].Headers.Select(header => header.Key));
        Assert.Equal("v", Encoding.UTF8.GetString(records[0].Headers[1].Value!.Value.Span));
        Assert.Equal((0, 0), (records[1].Key!.Value.Length, records[1].Value!.Value.Length));
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

    private static StreamsOptions TestNodeOptions(long notUploadedBytes) => Streams.TestNode.Small with
    {
        NotUploadedBytes = notUploadedBytes,
        UploadBytes = notUploadedBytes / 2,
    };
}
