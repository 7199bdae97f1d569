using Millrace.Broker.Partitions.Intake;
using Millrace.Protocol;
using Millrace.Streams;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

/// <summary>When a produce is answered: durable, out of time, parked, or failed.</summary>
public sealed class ProduceDurabilityTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

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
        using var read = await broker.Node.Store.Streams
            .Single(stream => stream.Id == broker.Feed.Image.Topics["parked"].Partitions[0].Stream)
            .ReadAsync(0, 1 << 20, default);
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
        using var read = await broker.Node.Store.Streams
            .Single(stream => stream.Id == broker.Feed.Image.Topics["parked"].Partitions[0].Stream)
            .ReadAsync(0, 1 << 20, default);
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

    private static StreamsOptions TestNodeOptions(long notUploadedBytes) => Streams.TestNode.Small with
    {
        NotUploadedBytes = notUploadedBytes,
        UploadBytes = notUploadedBytes / 2,
    };
}
