using System.Buffers;
using System.Globalization;
using System.Net;
using Millrace.Protocol;
using Millrace.Tests.Network.Serving;
using Millrace.Tests.Broker.Partitions;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// What costs memory most for its bytes: the smallest batches, over very many partitions, while the object store is away. What the broker
/// keeps of each beside its bytes counts, too.
/// </summary>
public sealed class SmallBatchOutageTests(ITestOutputHelper output)
{
    private const string Topic = "small";
    private const int Partitions = 1_000;
    private const int BatchBytes = 75;
    private const int MostMegabytes = 360;
    private const short Version = 9;

    [Theory]
    [InlineData("file")]
    [InlineData("object")]
    public async Task Memory_is_bounded_when_producers_wait_and_nothing_acknowledged_is_lost(string wal)
    {
        using var directory = new TemporaryDirectory();
        await using var store = await BreakableStore.StartAsync(directory.Sub("minio"));
        await using var broker = await MillraceProcess.StartAsync(
            directory.Sub("data"), store.Server.Credentials, "--store", store.Server.Uri("small"),
            "--wal", wal == "file" ? $"file://{directory.Sub("wal")}" : wal);
        await TestTopic.CreateAsync(broker.BootstrapServers, Topic, Partitions);
        using var client = await RawClient.ConnectAsync(IPEndPoint.Parse(broker.BootstrapServers));
        var ends = new long[Partitions];
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            await client.SendAsync(Request(), Version, correlationId: 0);
            return await ReceiveAsync(client, ends) == Partitions;
        }));

        await store.SignalAsync("KILL");
        var acknowledged = await FillAsync(broker, client, ends);
        var memory = ProcessMemory.OwnMegabytes(broker.ProcessId);
        output.WriteLine($"{acknowledged} records acknowledged meanwhile, {memory} MB resident");
        Assert.True(memory < MostMegabytes, $"{memory} MB");

        await store.RestartAsync();
        await AssertIsThereAsync(broker, ends);
    }

    /// <summary>Produces until the broker lets producers wait; returns how much it has acknowledged until then.</summary>
    private static async Task<long> FillAsync(MillraceProcess broker, RawClient client, long[] ends)
    {
        using var full = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var acknowledged = 0L;
        var sending = Task.Run(async () =>
        {
            for (var id = 1; !full.IsCancellationRequested; id++)
            {
                await client.SendAsync(Request(), Version, id);
            }
        });
        var receiving = Task.Run(async () =>
        {
            while (true)
            {
                acknowledged += await ReceiveAsync(client, ends);
            }
        });
        using var http = new HttpClient();
        while (await WaitingAsync(http, broker) == 0)
        {
            Assert.False(full.IsCancellationRequested, "The bound was not reached");
            Assert.False(sending.IsFaulted, $"{sending.Exception}");
            Assert.False(receiving.IsFaulted, $"{receiving.Exception}");
            await Task.Delay(50);
        }

        // Whoever waits has been met, and with it the bound. What comes back until the connection ends is still counted.
        await Task.Delay(TimeSpan.FromSeconds(2));
        full.Cancel();
        client.Dispose();
        await Task.WhenAny(Task.WhenAll(sending, receiving), Task.Delay(TimeSpan.FromSeconds(30)));
        return acknowledged;
    }

    private static async Task<double> WaitingAsync(HttpClient http, MillraceProcess broker)
    {
        var text = await http.GetStringAsync(new Uri(broker.Http, "/metrics"));
        return text.Split('\n').Where(line => line.StartsWith("millrace_streams_appends_waiting", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    private static async Task AssertIsThereAsync(MillraceProcess broker, long[] ends)
    {
        using var client = await RawClient.ConnectAsync(IPEndPoint.Parse(broker.BootstrapServers));
        var request = new ListOffsetsRequest
        {
            ReplicaId = -1,
            Topics =
            [
                new ListOffsetsRequest.ListOffsetsTopic
                {
                    Name = Topic,
                    Partitions =
                    [
                        .. Enumerable.Range(0, Partitions)
                            .Select(index => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = index, Timestamp = -1 }),
                    ],
                },
            ],
        };
        await client.SendAsync(request, version: 1, correlationId: 1);
        var (_, response) = await client.ReceiveAsync<ListOffsetsResponse>(version: 1);
        foreach (var partition in response.Topics[0].Partitions)
        {
            Assert.Equal(0, partition.ErrorCode);
            Assert.True(
                partition.Offset >= ends[partition.PartitionIndex],
                $"{partition.PartitionIndex}: {partition.Offset} < {ends[partition.PartitionIndex]}");
        }
    }

    private static ProduceRequest Request()
    {
        var batch = Batches.Of(new string('v', 6));
        Assert.Equal(BatchBytes, batch.Length);
        return new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 5_000,
            TopicData =
            [
                new ProduceRequest.TopicProduceData
                {
                    Name = Topic,
                    PartitionData =
                    [
                        .. Enumerable.Range(0, Partitions).Select(
                            index => new ProduceRequest.PartitionProduceData { Index = index, Records = new ReadOnlySequence<byte>(batch) }),
                    ],
                },
            ],
        };
    }

    /// <summary>How many partitions of the next answer were acknowledged, and where they end then.</summary>
    private static async Task<int> ReceiveAsync(RawClient client, long[] ends)
    {
        var (_, response) = await client.ReceiveAsync<ProduceResponse>(Version);
        var acknowledged = 0;
        foreach (var partition in response.Responses[0].PartitionResponses)
        {
            if (partition.ErrorCode == 0)
            {
                acknowledged++;
                ends[partition.Index] = Math.Max(ends[partition.Index], partition.BaseOffset + 1);
            }
        }

        return acknowledged;
    }
}
