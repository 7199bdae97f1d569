using System.Buffers;
using Millrace.Broker.Apis.Data;
using Millrace.Broker.Partitions.Intake;
using Millrace.Broker.Purgatory;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

/// <summary>Calls the handlers of the data path as the network server does, without the network.</summary>
internal sealed class DataPathClient
{
    private readonly PartitionsUnderTest _broker;

    public DataPathClient(PartitionsUnderTest broker, long memoryBytes = long.MaxValue)
    {
        _broker = broker;
        Purgatory = new FetchPurgatory(broker.Runtime);
        Produce = new ProduceHandler(broker.Runtime, broker.Table, new BatchIntake(broker.Buffers), broker.Metrics, new LastingLease(), broker.Racks);
        Fetch = new FetchHandler(
            broker.Runtime, broker.Table, Purgatory, new FetchLimit(broker.Identity, broker.Feed, broker.Buffers, memoryBytes), broker.Metrics, broker.Racks);
    }

    public FetchPurgatory Purgatory { get; }

    /// <summary>By which produces and fetches come.</summary>
    public ClientConnection Connection { get; init; } = TestContext.NewConnection(ListenerName.Plaintext);

    /// <summary>Of topics that the broker does not know.</summary>
    public Guid UnknownId { get; init; } = new(99, 0, 0, new byte[8]);

    public ProduceHandler Produce { get; }

    public FetchHandler Fetch { get; }

    /// <summary>Produces one batch to partition 0 of topic "t", and returns the partition's answer.</summary>
    public async Task<ProduceResponse.PartitionProduceResponse> ProduceAsync(byte[]? batch, short version = 9, string topic = "t", int timeoutMs = 30_000)
    {
        var (response, context) = await ProduceAsync(version, acks: -1, timeoutMs, (topic, 0, batch));
        context.Dispose();
        return response.Responses[0].PartitionResponses[0];
    }

    public async Task<(ProduceResponse Response, TestContext Context)> ProduceAsync(
        short version, short acks, int timeoutMs, params (string Topic, int Partition, byte[]? Batch)[] batches)
    {
        var (context, request) = Request(version, acks, timeoutMs, batches);
        var response = await Produce.HandleAsync(context, request, default);
        return (context.Disconnected ? response : Encodable(response, version), context);
    }

    /// <summary>As <see cref="ProduceAsync(byte[], short, string, int)"/>, without waiting for the answer.</summary>
    public (Task<ProduceResponse> Response, TestContext Context) BeginProduce(byte[] batch, int timeoutMs = 30_000, short acks = -1) =>
        BeginProduce(timeoutMs, acks, ("t", 0, batch));

    public (Task<ProduceResponse> Response, TestContext Context) BeginProduce(
        int timeoutMs, short acks, params (string Topic, int Partition, byte[]? Batch)[] batches)
    {
        var (context, request) = Request(version: 9, acks, timeoutMs, batches);
        return (Produce.HandleAsync(context, request, default).AsTask(), context);
    }

    /// <summary>Produces until there is no room for what is not uploaded, and returns the produce that waits for some.</summary>
    public async Task<(Task<ProduceResponse> Waiting, TestContext Context)> FillAsync()
    {
        while (true)
        {
            var (response, context) = BeginProduce(Batches.OfSize(8_000), timeoutMs: 300_000);
            // An append that is not durable yet takes more room, for a moment: who waits for that only is not what is looked for.
            var waited = 0;
            Assert.True(await Eventually.BecomesTrueAsync(() =>
            {
                waited = IsFull() ? waited + 1 : 0;
                return response.IsCompleted || waited == 3;
            }));
            if (!response.IsCompleted)
            {
                return (response, context);
            }

            Assert.Equal((short)ErrorCode.None, (await response).Responses[0].PartitionResponses[0].ErrorCode);
            context.Dispose();
        }
    }

    private bool IsFull() =>
        _broker.Node.Store.Budget.Waiting > 0 && _broker.Node.Store.Streams.All(stream => stream.ConfirmOffset == stream.NextOffset);

    public async Task<FetchResponse.PartitionData> FetchAsync(long offset, Action<FetchRequest.FetchPartition>? change = null, short version = 12)
    {
        var wanted = new FetchRequest.FetchPartition { Partition = 0, FetchOffset = offset, PartitionMaxBytes = 1 << 20 };
        change?.Invoke(wanted);
        var (response, context) = await FetchAsync(Request(wanted), version);
        using (context)
        {
            return Detach(response.Responses[0].Partitions[0]);
        }
    }

    /// <summary>Fetches; the records stay readable until the context is disposed.</summary>
    public async Task<(FetchResponse Response, TestContext Context)> FetchAsync(FetchRequest request, short version = 12, CancellationToken token = default)
    {
        var context = TestContext.Create(version, _broker.Buffers.Rent(1), connection: Connection);
        return (Encodable(await Fetch.HandleAsync(context, request, token), version), context);
    }

    public static FetchRequest Request(params FetchRequest.FetchPartition[] partitions) => new()
    {
        MaxWaitMs = 0,
        MinBytes = 1,
        MaxBytes = 1 << 20,
        Topics = [new FetchRequest.FetchTopic { Topic = "t", Partitions = partitions }],
    };

    public async Task<ListOffsetsResponse.ListOffsetsPartitionResponse> ListOffsetsAsync(
        long timestamp, short version = 11, int currentLeaderEpoch = -1, string topic = "t")
    {
        using var context = TestContext.Create(version, _broker.Buffers.Rent(1));
        var response = await new ListOffsetsHandler(_broker.Runtime, _broker.Table).HandleAsync(context, new ListOffsetsRequest
        {
            Topics =
            [
                new ListOffsetsRequest.ListOffsetsTopic
                {
                    Name = topic,
                    Partitions =
                    [
                        new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = 0, Timestamp = timestamp, CurrentLeaderEpoch = currentLeaderEpoch },
                    ],
                },
            ],
        }, default);
        return Encodable(response, context.ApiVersion).Topics[0].Partitions[0];
    }

    public async Task<DeleteRecordsResponse.DeleteRecordsPartitionResult> DeleteRecordsAsync(long offset, string topic = "t", int timeoutMs = 30_000)
    {
        using var context = TestContext.Create(2, _broker.Buffers.Rent(1));
        var response = await new DeleteRecordsHandler(_broker.Runtime, _broker.Table).HandleAsync(context, new DeleteRecordsRequest
        {
            TimeoutMs = timeoutMs,
            Topics =
            [
                new DeleteRecordsRequest.DeleteRecordsTopic
                {
                    Name = topic,
                    Partitions = [new DeleteRecordsRequest.DeleteRecordsPartition { PartitionIndex = 0, Offset = offset }],
                },
            ],
        }, default);
        return Encodable(response, context.ApiVersion).Topics[0].Partitions[0];
    }

    public async Task<OffsetForLeaderEpochResponse.EpochEndOffset> EpochEndAsync(int leaderEpoch, int currentLeaderEpoch = -1)
    {
        using var context = TestContext.Create(4, _broker.Buffers.Rent(1));
        var response = await new OffsetForLeaderEpochHandler(_broker.Table).HandleAsync(context, new OffsetForLeaderEpochRequest
        {
            Topics =
            [
                new OffsetForLeaderEpochRequest.OffsetForLeaderTopic
                {
                    Topic = "t",
                    Partitions =
                    [
                        new OffsetForLeaderEpochRequest.OffsetForLeaderPartition
                        {
                            Partition = 0, LeaderEpoch = leaderEpoch, CurrentLeaderEpoch = currentLeaderEpoch,
                        },
                    ],
                },
            ],
        }, default);
        return Encodable(response, context.ApiVersion).Topics[0].Partitions[0];
    }

    /// <summary>The response, which every version asked for must have room for.</summary>
    private static TResponse Encodable<TResponse>(TResponse response, short version)
        where TResponse : IMessage
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        response.Write(ref writer, version);
        writer.Flush();
        return response;
    }

    /// <summary>The partition's answer with records of its own.</summary>
    private static FetchResponse.PartitionData Detach(FetchResponse.PartitionData answer)
    {
        answer.Records = new ReadOnlySequence<byte>(answer.Records?.ToArray() ?? []);
        return answer;
    }

    private (TestContext Context, ProduceRequest Request) Request(
        short version, short acks, int timeoutMs, params (string Topic, int Partition, byte[]? Batch)[] batches)
    {
        // As on the wire: all batches in one frame.
        var frame = _broker.Buffers.Rent(Math.Max(1, batches.Sum(batch => batch.Batch?.Length ?? 0)));
        var at = 0;
        var topics = new List<ProduceRequest.TopicProduceData>();
        foreach (var (topic, partition, bytes) in batches)
        {
            ReadOnlySequence<byte>? records = null;
            if (bytes is not null)
            {
                bytes.CopyTo(frame.GetSpan()[at..]);
                records = new ReadOnlySequence<byte>(frame.Memory.Slice(at, bytes.Length));
                at += bytes.Length;
            }

            topics.Add(new ProduceRequest.TopicProduceData
            {
                Name = topic,
                TopicId = _broker.Feed.Image.TryGetTopic(topic, out var known) ? known.Id : UnknownId,
                PartitionData = [new ProduceRequest.PartitionProduceData { Index = partition, Records = records }],
            });
        }

        return (TestContext.Create(version, frame, connection: Connection), new ProduceRequest { Acks = acks, TimeoutMs = timeoutMs, TopicData = topics });
    }
}
