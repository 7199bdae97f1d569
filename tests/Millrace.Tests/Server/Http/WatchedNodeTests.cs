using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;
using Millrace.Protocol;
using Millrace.Tests.Acceptance;
using Millrace.Tests.Network.Serving;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Server.Http;

/// <summary>What operators see of a broker in a process of its own.</summary>
public sealed class WatchedNodeTests : IDisposable
{
    private const int Records = 500;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TemporaryDirectory _directory = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };

    public void Dispose()
    {
        _client.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Metrics_count_what_clients_did()
    {
        await using var broker = await MillraceProcess.StartAsync(
            _directory.Path, "--set", "group.initial.rebalance.delay.ms=0", "--set", "millrace.upload.interval.ms=200");
        await TestTopic.CreateAsync(broker.BootstrapServers, "watched", partitions: 3);
        await ProduceAsync(broker);
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(
            new ConsumerConfig { BootstrapServers = broker.BootstrapServers, GroupId = "watchers", AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
        consumer.Subscribe("watched");
        for (var i = 0; i < Records; i++)
        {
            Assert.NotNull(consumer.Consume(Limit));
        }

        await ProvokeAsync(broker);
        Scrape? seen = null;
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            seen = await Scrape.OfAsync(_client, broker.Http);
            return seen.Sum("millrace_streams_objects_total") > 0 && seen.Sum("millrace_partitions", "state=\"Open\"") == 53
                && seen.Sum("millrace_requests_refused_total") == 1;
        }));

        Assert.Equal(Records, seen!.Sum("millrace_messages_in_total"));
        Assert.True(seen.Sum("millrace_bytes_in_total") > Records * 100);
        Assert.Equal(seen.Sum("millrace_bytes_in_total"), seen.Sum("millrace_bytes_out_total"));
        Assert.True(seen.Sum("millrace_request_duration_seconds_count", "api=\"Produce\"") > 0);
        Assert.True(seen.Sum("millrace_request_duration_seconds_bucket", "api=\"Fetch\"", "le=\"+Inf\"") > 0);
        Assert.Equal(1, seen.Sum("millrace_request_errors_total", "api=\"ListOffsets\"", "error=\"UnknownTopicOrPartition\""));
        Assert.Equal(1, seen.Sum("millrace_groups"));
        Assert.True(seen.Sum("millrace_connections") > 0);
        Assert.True(seen.Sum("millrace_request_limit_bytes", "otel_scope_name=\"Millrace.Broker\"", "share=\"waits_for_store\"") == 48 << 20);
        Assert.True(seen.Sum("millrace_partition_records") >= Records);
        Assert.Equal((0, 2, 1), (seen.Sum("millrace_offline_partitions"), seen.Sum("millrace_topics"), seen.Sum("millrace_brokers")));
        Assert.True(seen.Sum("millrace_streams_upload_duration_seconds_count") > 0);
        Assert.Equal(192 << 20, seen.Sum("millrace_streams_not_uploaded_limit_bytes"));
        Assert.True(seen.Sum("millrace_object_store_duration_seconds_count", "operation=\"create\"", "outcome=\"ok\"") > 0);
        Assert.True(seen.Sum("millrace_object_store_written_bytes_total") > Records * 100);
        Assert.True(seen.Sum("dotnet_process_memory_working_set_bytes") > 0);
        Assert.All(seen.LabelValues("api"), api => Assert.True(Enum.TryParse<ApiKey>(api, out _), api));
        Assert.All(
            (string[])[
                "millrace_purgatory_size", "millrace_requests_unread", "millrace_request_bytes", "millrace_streams_memory_bytes",
                "millrace_streams_not_uploaded_bytes", "millrace_streams_appends_waiting", "millrace_wal_fullness", "millrace_streams_open",
                "millrace_streams_reads_log_cache_total", "target_info",
            ],
            name => Assert.Contains(name, seen.Names));
    }

    [Fact]
    public async Task A_node_that_waits_for_its_store_is_healthy_and_not_ready()
    {
        // Takes connections and never answers: the node waits for its probe of the store.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var http = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo(
            MillraceProcess.Program,
            [
                "start", "--data-dir", _directory.Path, "--listen", "127.0.0.1:0",
                "--wal", "object", "--store", $"s3://bucket?endpoint=http://{silent.LocalEndpoint}",
                "--set", $"millrace.http.listener={http.Authority}",
            ]) { RedirectStandardError = true, Environment = { ["AWS_ACCESS_KEY_ID"] = "x", ["AWS_SECRET_ACCESS_KEY"] = "y" } };
        using var process = Process.Start(start)!;
        process.BeginErrorReadLine();
        try
        {
            Assert.True(await Eventually.BecomesTrueAsync(async () => await StatusAsync(http, "/healthz") == HttpStatusCode.OK));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(http, "/readyz"));

            // And it lets itself be stopped.
            await Tool.RunAsync("kill", ["-TERM", $"{process.Id}"]);
            using var limit = new CancellationTokenSource(Limit);
            await process.WaitForExitAsync(limit.Token);
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    [Fact]
    public async Task A_node_that_drains_is_not_ready_and_is_healthy_to_its_end()
    {
        await using var broker = await MillraceProcess.StartAsync(
            _directory.Path, "--set", "millrace.shutdown.grace.ms=60000", "--set", "millrace.stop.limit.ms=120000");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(broker.Http, "/readyz"));
        await TestTopic.CreateAsync(broker.BootstrapServers, "watched", partitions: 1);
        await ProduceAsync(broker, recordBytes: 50_000);

        // Asks for 25 MB and takes none of it: the broker has an answer to write as long as this client lives.
        using var reluctant = await RawClient.ConnectAsync(IPEndPoint.Parse(broker.BootstrapServers));
        await reluctant.SendAsync(
            new FetchRequest
            {
                MaxWaitMs = 500,
                MinBytes = 1,
                MaxBytes = int.MaxValue,
                Topics = [new() { Topic = "watched", Partitions = [new() { Partition = 0, PartitionMaxBytes = int.MaxValue, CurrentLeaderEpoch = -1 }] }],
            },
            version: 11,
            correlationId: 1);
        Assert.True(await Eventually.BecomesTrueAsync(
            async () => (await Scrape.OfAsync(_client, broker.Http)).Sum("millrace_bytes_out_total") > 10_000_000));
        var stopping = broker.StopAsync();

        Assert.True(await Eventually.BecomesTrueAsync(async () => await StatusAsync(broker.Http, "/readyz") == HttpStatusCode.ServiceUnavailable));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(broker.Http, "/healthz"));
        Assert.False(stopping.IsCompleted);
        reluctant.Dispose();
        Assert.Equal(0, await stopping);
    }

    private static async Task ProduceAsync(MillraceProcess broker, int recordBytes = 200)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = broker.BootstrapServers, LingerMs = 5 }).Build();
        await Task.WhenAll(Enumerable.Range(0, Records).Select(_ =>
            producer.ProduceAsync("watched", new Message<Null, byte[]> { Value = new byte[recordBytes] })));
    }

    /// <summary>One answer with an error, and one request that nobody serves.</summary>
    private static async Task ProvokeAsync(MillraceProcess broker)
    {
        using var client = await RawClient.ConnectAsync(IPEndPoint.Parse(broker.BootstrapServers));
        await client.SendAsync(
            new ListOffsetsRequest { ReplicaId = -1, Topics = [new() { Name = "absent", Partitions = [new() { PartitionIndex = 0, Timestamp = -1 }] }] },
            version: 3,
            correlationId: 1);
        await client.ReceiveAsync<ListOffsetsResponse>(3);
        await client.SendBytesAsync(RawClient.Frame(new byte[] { 0x7F, 0xFF, 0, 0, 0, 0, 0, 0 }));
        Assert.True(await client.IsClosedByServerAsync());
    }

    private async Task<HttpStatusCode?> StatusAsync(Uri http, string path)
    {
        try
        {
            using var response = await _client.GetAsync(new Uri(http, path));
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return null;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
