using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Benchmarks.Streams;
using Millrace.Broker.Apis.Data;
using Millrace.Broker.Following;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Broker.Purgatory;
using Millrace.Cluster.Liveness;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Wal;

namespace Millrace.Benchmarks.DataPath;

/// <summary>
/// Produce and fetch from the bytes of the request to the bytes of the response, without the network and with a WAL that does
/// nothing: what decoding, validation, append, upload and encoding cost. In MB/s, processor time and garbage.
/// </summary>
internal static class DataPathBenchmark
{
    // A record's own fields, about.
    private const int RecordOverhead = 10;
    private const int Connections = 4;
    private static readonly NodeId Self = new(1);

    // The storage keeps nothing, so what is fetched has to be in memory still.
    private static readonly StreamsOptions Keeping = new() { NotUploadedBytes = 3L << 30, TailCacheBytes = 2L << 30 };

    public static async Task<int> RunAsync()
    {
        Console.WriteLine("what           partitions  batch bytes  record bytes   MB/s  CPU s/GB  us/request  garbage B/request  of it B/batch");
        foreach (var fetch in new[] { false, true })
        {
            foreach (var (partitions, batch, record, total) in new[]
            {
                (1, 1 << 20, 1_000, 4L << 30), (1, 16 << 10, 1_000, 2L << 30), (1, 16 << 10, 100, 2L << 30),
                (100, 10_000, 100, 2L << 30), (100, 200, 100, 128L << 20),
            })
            {
                await RunAsync(fetch, partitions, batch, record, total / 8);
                await MeasureAsync(fetch, partitions, batch, record, total);
            }
        }

        return 0;
    }

    private static async Task MeasureAsync(bool fetch, int partitions, int batchBytes, int recordBytes, long total)
    {
        using var process = Process.GetCurrentProcess();
        var (processor, garbage, started) = (process.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
        var (requests, bytes) = await RunAsync(fetch, partitions, batchBytes, recordBytes, total);
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        var cpu = (process.TotalProcessorTime - processor).TotalSeconds;
        var allocated = (GC.GetTotalAllocatedBytes(precise: true) - garbage) / (double)requests;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(fetch ? "produce, fetch" : "produce"),-14} {partitions,10}  {batchBytes,11}  {recordBytes,12}  {bytes / 1e6 / elapsed,5:F0}  "
            + $"{cpu / (bytes / 1e9),8:F2}  {elapsed * 1e6 / requests,10:F1}  {allocated,17:F0}  {allocated / partitions,13:F0}"));
    }

    private static async Task<(long Requests, long Bytes)> RunAsync(bool fetch, int partitions, int batchBytes, int recordBytes, long total)
    {
        using var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        using var buffers = new BufferPool(maxIdleBytes: 256 << 20);
        await using var storage = new ForgetfulStorage();
        await using var wal = new NoWal();
        await using var store = new StreamStore(
            runtime,
            fetch ? Keeping : new StreamsOptions(),
            new StreamsComponents(new NodeIncarnation(Self, new NodeEpoch(1)), new NodeWals(wal), storage, new BenchmarkRegistry(), buffers));
        var identity = new BrokerIdentity(Self, new NodeEpoch(1), new ConfigResolver(Self, new Dictionary<string, string>()));
        var feed = new MetadataFeed();
        feed.Publish(Image(partitions));
        await using var table = new PartitionTable(runtime, store, feed, identity);
        table.Start();
        using var metrics = new DataMetrics();
        var lease = new ReadLease(runtime.Time, new NodeIncarnation(Self, new NodeEpoch(1)));
        lease.Extend(long.MaxValue);
        await using var racks = new RackReads(runtime, identity, feed, store, buffers, peers: null!);
        var produce = new ProduceHandler(runtime, table, new BatchIntake(buffers), metrics, lease, racks);
        var fetches = new FetchHandler(
            runtime, table, new FetchPurgatory(runtime), new FetchLimit(identity, feed, buffers, long.MaxValue), metrics, racks);
        var batch = Batch(batchBytes, recordBytes);
        var requests = total / ((long)batch.Length * partitions);
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(connection => Task.Run(async () =>
        {
            // Each connection has topics of its own, so that its consumer knows where its records are.
            var topic = "t" + connection;
            var encoded = ProduceBytes(topic, partitions, batch);
            var output = new DiscardingWriter();
            for (var i = 0L; i < requests / Connections; i++)
            {
                var offset = await ProduceAsync(produce, buffers, encoded, output);
                if (fetch)
                {
                    await FetchAsync(fetches, buffers, topic, partitions, offset, batch.Length, output);
                }
            }
        })));
        return (requests / Connections * Connections, requests / Connections * Connections * batch.Length * partitions);
    }

    private static async Task<long> ProduceAsync(ProduceHandler handler, BufferPool buffers, byte[] encoded, DiscardingWriter output)
    {
        var frame = buffers.Rent(encoded.Length);
        encoded.CopyTo(frame.GetSpan());
        var context = Context(9, frame);
        var reader = new KafkaReader(frame.Memory);
        var response = await handler.HandleAsync(context, ProduceRequest.Read(ref reader, 9), default);
        Write(response, 9, output);
        frame.Release();
        var answer = response.Responses[0].PartitionResponses[^1];
        return answer.ErrorCode == 0 ? answer.BaseOffset : throw new InvalidOperationException($"Error {answer.ErrorCode}");
    }

    private static async Task FetchAsync(
        FetchHandler handler, BufferPool buffers, string topic, int partitions, long offset, int bytes, DiscardingWriter output)
    {
        var request = new FetchRequest
        {
            MaxWaitMs = 500,
            MinBytes = 1,
            MaxBytes = 50 << 20,
            Topics =
            [
                new FetchRequest.FetchTopic
                {
                    Topic = topic,
                    Partitions = [.. Enumerable.Range(0, partitions).Select(index => new FetchRequest.FetchPartition
                    {
                        Partition = index, FetchOffset = offset, PartitionMaxBytes = 1 << 20,
                    })],
                },
            ],
        };
        var frame = buffers.Rent(1);
        var context = Context(12, frame);
        var response = await handler.HandleAsync(context, request, default);
        Write(response, 12, output);
        if (response.Responses[0].Partitions[^1].Records!.Value.Length < bytes)
        {
            var answer = response.Responses[0].Partitions[^1];
            throw new InvalidOperationException(
                $"Records at {offset} are missing: error {answer.ErrorCode}, {answer.Records!.Value.Length} bytes, high watermark {answer.HighWatermark}");
        }

        context.Release();
        frame.Release();
    }

    private static void Write(IMessage response, short version, DiscardingWriter output)
    {
        var writer = new KafkaWriter(output);
        response.Write(ref writer, version);
        writer.Flush();
    }

    private static CallContext Context(short version, PooledBuffer frame) => new()
    {
        ApiVersion = version,
        CorrelationId = 1,
        ClientId = "bench",
        Access = new AccessCheck(
            new OpenSteps(), Principal.Anonymous, new ClientConnection("bench", new IPEndPoint(IPAddress.Loopback, 1), ListenerName.Plaintext)),
        Frame = frame,
    };

    private static byte[] ProduceBytes(string topic, int partitions, byte[] batch)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 30_000,
            TopicData =
            [
                new ProduceRequest.TopicProduceData
                {
                    Name = topic,
                    PartitionData = [.. Enumerable.Range(0, partitions).Select(index => new ProduceRequest.PartitionProduceData
                    {
                        Index = index, Records = new ReadOnlySequence<byte>(batch),
                    })],
                },
            ],
        }.Write(ref writer, 9);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Batch(int bytes, int recordBytes)
    {
        var builder = new RecordBatchBuilder();
        var value = new byte[recordBytes];
        var timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        while (builder.Count == 0 || RecordBatchHeader.Size + (builder.Count + 1L) * (recordBytes + RecordOverhead) <= bytes)
        {
            builder.Append(timestamp, null, value);
        }

        return builder.Build();
    }

    private static MetadataImage Image(int partitions)
    {
        var image = MetadataImage.Empty with { Version = new MetadataVersion(1, 0) };
        for (var i = 0; i < Connections; i++)
        {
            var first = i * partitions;
            var topic = new TopicImage(
                new Guid(i + 1, 0, 0, new byte[8]),
                "t" + i,
                1,
                [.. Enumerable.Range(0, partitions).Select(index =>
                    new PartitionImage(index, new StreamId(first + index), Self, new StreamEpoch(1), [Self]))],
                ImmutableSortedDictionary<string, string>.Empty);
            image = image with { Topics = image.Topics.Add(topic.Name, topic), TopicNames = image.TopicNames.Add(topic.Id, topic.Name) };
        }

        return image;
    }
}
