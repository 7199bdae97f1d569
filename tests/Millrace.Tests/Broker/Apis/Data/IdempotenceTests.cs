using Millrace.Broker.Partitions;
using Millrace.Protocol;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

/// <summary>Idempotent producers end to end: retries in flight, over restarts, and after everything was deleted.</summary>
public sealed class IdempotenceTests
{
    private const long Pid = 42;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_retry_gets_the_originals_offset_and_adds_nothing()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        var batch = Batches.Idempotent(Pid, 0, 0, count: 3);

        Assert.Equal((ErrorCode.None, 0L), await ProduceAsync(client, batch));
        Assert.Equal((ErrorCode.None, 3L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 3)));
        Assert.Equal((ErrorCode.None, 0L), await ProduceAsync(client, batch));
        Assert.Equal(4, (await broker.OpenAsync()).HighWatermark);
    }

    [Fact]
    public async Task Gaps_stale_epochs_and_new_epochs_are_told_apart()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await ProduceAsync(client, Batches.Idempotent(Pid, 1, 0));

        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid, 1, 2))).Error);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1))).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid, 2, 1))).Error);
        Assert.Equal((ErrorCode.None, 1L), await ProduceAsync(client, Batches.Idempotent(Pid, 2, 0)));
    }

    [Fact]
    public async Task What_comes_behind_the_timed_out_first_batch_of_a_producer_does_not_take_its_place()
    {
        // Room for a few frames; uploads, which would make more, do not get through.
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(
            Streams.TestNode.Small with { NotUploadedBytes = 64 << 10, UploadBytes = 32 << 10 });
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "PrepareAsync" ? new ValueTask(stuck.Task) : default;
        var (waiting, context) = await client.FillAsync();

        // Pipelined: the client has sent the second batch before it hears of the first, and room comes in between.
        var first = Batches.Idempotent(Pid, 0, 0, count: 3);
        Assert.Equal(ErrorCode.RequestTimedOut, (ErrorCode)(await client.ProduceAsync(first, timeoutMs: 50)).ErrorCode);
        stuck.SetResult();
        await waiting.WaitAsync(Patience);
        context.Dispose();
        Assert.Equal(ErrorCode.RequestTimedOut, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 3))).Error);

        var (error, offset) = await ProduceAsync(client, first);
        Assert.Equal(ErrorCode.None, error);
        Assert.Equal((ErrorCode.None, offset + 3), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 3)));
    }

    [Fact]
    public async Task What_comes_behind_a_first_batch_that_timed_out_while_the_partition_opened_does_not_take_its_place()
    {
        await using var broker = PartitionsUnderTest.Start();
        var stuck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.Registry.Before = call => call == "OpenAsync" ? new ValueTask(stuck.Task) : default;
        await broker.AddTopicAsync();
        var client = new DataPathClient(broker);

        Assert.Equal(ErrorCode.RequestTimedOut, (ErrorCode)(await client.ProduceAsync(Batches.Idempotent(Pid, 0, 0), timeoutMs: 50)).ErrorCode);
        stuck.SetResult();

        Assert.Equal(ErrorCode.RequestTimedOut, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1))).Error);
        Assert.Equal((ErrorCode.None, 0L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0)));
        Assert.Equal((ErrorCode.None, 1L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1)));
    }

    [Fact]
    public async Task What_comes_behind_a_batch_that_memory_was_short_for_does_not_take_its_place()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var partition = await broker.OpenAsync();
        var client = new DataPathClient(broker);

        // The first small record takes a chunk for all.
        broker.Node.Taking = bytes =>
        {
            if (bytes > 200_000)
            {
                throw new InsufficientMemoryException();
            }
        };
        Assert.Equal(ErrorCode.UnknownServerError, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0))).Error);
        broker.Node.Taking = null;

        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1))).Error);
        Assert.Equal((ErrorCode.None, 0L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0)));
        Assert.Equal((ErrorCode.None, 1L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1)));
        Assert.Equal(Batches.Idempotent(Pid, 0, 0).Length + Batches.Idempotent(Pid, 0, 1).Length, partition.Progress.Mark().Bytes);
    }

    [Fact]
    public async Task A_retry_of_a_batch_in_flight_waits_until_it_is_durable()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        broker.Node.Wal.Hold();

        var (original, first) = client.BeginProduce(Batches.Idempotent(Pid, 0, 0));
        Assert.True(await Eventually.BecomesTrueAsync(() => first.NextAllowed));
        var (retry, second) = client.BeginProduce(Batches.Idempotent(Pid, 0, 0));
        Assert.True(await Eventually.BecomesTrueAsync(() => second.NextAllowed));
        Assert.False(retry.IsCompleted);
        broker.Node.Wal.Release();

        var answers = await Task.WhenAll(original, retry).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.Equal(0, answer.Responses[0].PartitionResponses[0].BaseOffset));
        Assert.Equal(1, (await broker.OpenAsync()).HighWatermark);
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public async Task A_retry_of_a_batch_that_is_lost_in_flight_is_not_acknowledged()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        await broker.OpenAsync();
        var client = new DataPathClient(broker);
        broker.Node.Wal.Hold();
        var (original, first) = client.BeginProduce(Batches.Idempotent(Pid, 0, 0));
        Assert.True(await Eventually.BecomesTrueAsync(() => first.NextAllowed));
        var (retry, second) = client.BeginProduce(Batches.Idempotent(Pid, 0, 0));
        Assert.True(await Eventually.BecomesTrueAsync(() => second.NextAllowed));

        broker.Node.Wal.Fail(Millrace.Streams.StreamError.Fenced);

        var answers = await Task.WhenAll(original, retry).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.Equal((short)ErrorCode.RequestTimedOut, answer.Responses[0].PartitionResponses[0].ErrorCode));
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public async Task Producers_are_known_after_a_restart()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        for (var i = 0; i < 7; i++)
        {
            await ProduceAsync(client, Batches.Idempotent(Pid, 0, i));
        }

        await broker.RestartAsync();

        client = new DataPathClient(broker);
        Assert.Equal((ErrorCode.None, 6L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 6)));
        Assert.Equal((ErrorCode.None, 2L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 2)));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1))).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 8))).Error);
        Assert.Equal((ErrorCode.None, 7L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 7)));
    }

    [Fact]
    public async Task Producers_are_known_after_a_crash_from_what_lies_behind_the_checkpoint()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0));
        await ProduceAsync(client, Batches.Idempotent(Pid + 1, 0, 0));
        await broker.Node.UploadAsync();
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1));
        await ProduceAsync(client, Batches.Idempotent(Pid + 2, 3, 0, count: 4));

        await broker.CrashAsync();

        client = new DataPathClient(broker);
        Assert.Equal((ErrorCode.None, 0L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0)));
        Assert.Equal((ErrorCode.None, 2L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1)));
        Assert.Equal((ErrorCode.None, 1L), await ProduceAsync(client, Batches.Idempotent(Pid + 1, 0, 0)));
        Assert.Equal((ErrorCode.None, 3L), await ProduceAsync(client, Batches.Idempotent(Pid + 2, 3, 0, count: 4)));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid + 1, 0, 2))).Error);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await ProduceAsync(client, Batches.Idempotent(Pid + 2, 2, 4))).Error);
        Assert.Equal((ErrorCode.None, 7L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 2)));
    }

    [Fact]
    public async Task A_batch_that_was_not_acknowledged_before_a_crash_is_there_once_after_its_retry()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0));
        broker.Node.Wal.Hold();
        var (lost, context) = client.BeginProduce(Batches.Idempotent(Pid, 0, 1));
        Assert.True(await Eventually.BecomesTrueAsync(() => context.NextAllowed));

        await broker.CrashAsync();

        Assert.Equal((short)ErrorCode.RequestTimedOut, (await lost.WaitAsync(Patience)).Responses[0].PartitionResponses[0].ErrorCode);
        context.Dispose();
        client = new DataPathClient(broker);
        Assert.Equal((ErrorCode.None, 1L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1)));
        Assert.Equal((ErrorCode.None, 2L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 2)));
        Assert.Equal(
            ["0:number 0", "1:number 1", "2:number 2"],
            [.. Batches.Read((await client.FetchAsync(0)).Records), .. Batches.Read((await client.FetchAsync(2)).Records)]);
    }

    [Fact]
    public async Task An_emptied_partition_still_knows_its_producers()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0));
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1));
        Assert.Equal(2, (await client.DeleteRecordsAsync(-1)).LowWatermark);

        await broker.RestartAsync();

        client = new DataPathClient(broker);
        Assert.Equal((ErrorCode.None, 1L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1)));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 3))).Error);
        Assert.Equal((ErrorCode.None, 2L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 2)));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public async Task Producers_of_recovered_records_are_known_after_these_are_deleted_and_the_broker_crashes_again(long upTo)
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0));
        await broker.Node.UploadAsync();
        await ProduceAsync(client, Batches.Idempotent(Pid + 1, 0, 0));
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1));
        await broker.CrashAsync();
        client = new DataPathClient(broker);
        Assert.Equal(0, (await client.DeleteRecordsAsync(upTo)).ErrorCode);

        await broker.CrashAsync();

        client = new DataPathClient(broker);
        Assert.Equal((ErrorCode.None, 1L), await ProduceAsync(client, Batches.Idempotent(Pid + 1, 0, 0)));
        Assert.Equal((ErrorCode.None, 2L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 1)));
        Assert.Equal((ErrorCode.None, 3L), await ProduceAsync(client, Batches.Idempotent(Pid + 1, 0, 1)));
        Assert.Equal((ErrorCode.None, 4L), await ProduceAsync(client, Batches.Idempotent(Pid, 0, 2)));
    }

    [Fact]
    public async Task A_checkpoint_taken_under_load_reflects_exactly_what_lies_below_it()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync();
        var client = new DataPathClient(broker);
        for (var i = 0; i < 20; i++)
        {
            await ProduceAsync(client, Batches.Idempotent(Pid, 0, i));
            if (i % 5 == 3)
            {
                await broker.Node.UploadAsync();
                await broker.RestartAsync();
                client = new DataPathClient(broker);
                Assert.Equal((ErrorCode.None, (long)i), await ProduceAsync(client, Batches.Idempotent(Pid, 0, i)));
            }
        }

        Assert.Equal(20, (await broker.OpenAsync()).HighWatermark);
    }

    [Fact]
    public async Task Idle_producers_are_forgotten_in_time()
    {
        await using var broker = await PartitionsUnderTest.StartWithTopicAsync(
            settings: new Dictionary<string, string> { ["producer.id.expiration.ms"] = "1" });
        var client = new DataPathClient(broker);
        await ProduceAsync(client, Batches.Idempotent(Pid, 0, 0));
        var maintenance = new PartitionMaintenance(broker.Runtime, broker.Table, broker.Identity.Configs);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 5))).Error);

        var known = true;
        for (var i = 0; i < 1_000 && known; i++)
        {
            await Task.Delay(2);
            await maintenance.SweepAsync(default);
            known = (await ProduceAsync(client, Batches.Idempotent(Pid, 0, 5))).Error != ErrorCode.None;
        }

        Assert.False(known);
    }

    private static async Task<(ErrorCode Error, long BaseOffset)> ProduceAsync(DataPathClient client, byte[] batch)
    {
        var answer = await client.ProduceAsync(batch);
        return ((ErrorCode)answer.ErrorCode, answer.BaseOffset);
    }
}
