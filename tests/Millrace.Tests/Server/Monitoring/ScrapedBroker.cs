using System.Net;
using Confluent.Kafka;
using Millrace.Protocol;
using Millrace.Tests.Acceptance;
using Millrace.Tests.Clients;
using Millrace.Tests.Network.Serving;
using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>A broker that has had something to do, and what it said at /metrics then.</summary>
public sealed class ScrapedBroker : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HttpClient _client = new();

    internal Scrape Scrape { get; private set; } = new("");

    internal ExposedMetrics Metrics => field ??= new ExposedMetrics(Scrape, ScrapeConfig.Read());

    public async ValueTask InitializeAsync()
    {
        await using var broker = await MillraceProcess.StartAsync(_directory.Path, "--set", "millrace.upload.interval.ms=200");
        await TestTopic.CreateAsync(broker.BootstrapServers, "watched", partitions: 1);
        await ProduceAsync(broker);
        await AskForAbsentTopicAsync(broker);
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            Scrape = await Scrape.OfAsync(_client, broker.Http);
            return Scrape.Sum("millrace_streams_objects_total") > 0;
        }));
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task ProduceAsync(MillraceProcess broker)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await producer.ProduceAsync("watched", new Message<Null, byte[]> { Value = new byte[100] });
    }

    /// <summary>One answer with an error.</summary>
    private static async Task AskForAbsentTopicAsync(MillraceProcess broker)
    {
        using var client = await RawClient.ConnectAsync(IPEndPoint.Parse(broker.BootstrapServers));
        await client.SendAsync(
            new ListOffsetsRequest { ReplicaId = -1, Topics = [new() { Name = "absent", Partitions = [new() { PartitionIndex = 0, Timestamp = -1 }] }] },
            version: 3,
            correlationId: 1);
        await client.ReceiveAsync<ListOffsetsResponse>(3);
    }
}
