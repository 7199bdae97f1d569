using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Server.Http;
using Millrace.Server.Transport;
using Millrace.Tests.ObjectStorage;
using Xunit;

namespace Millrace.Tests.Server.Http;

public sealed class HttpEndpointsTests : IAsyncLifetime
{
    private readonly NodeHealth _health = new();
    private readonly MetadataFeed _metadata = new();
    private readonly AdjustedObjectStorage _storage = new();
    private readonly HttpClient _client = new();
    private readonly RealNode _node = new();
    private readonly BufferPool _buffers = new(0);
    private readonly ScalingReport _scaling;
    private HttpEndpoints? _endpoints;

    public HttpEndpointsTests() => _scaling = new ScalingReport(_node.Runtime);

    public async ValueTask InitializeAsync() =>
        _endpoints = await HttpEndpoints.StartAsync(
            new IPEndPoint(IPAddress.Loopback, 0), _health, _scaling, new SocketTransport(_node.Runtime, _buffers),
            NullLoggerFactory.Instance, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _endpoints!.DisposeAsync();
        _node.Dispose();
        _buffers.Dispose();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task A_node_is_ready_between_its_start_and_its_stop()
    {
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "starting\n"), await GetAsync("/readyz"));
        _health.Ready(_metadata);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/readyz"));
        _health.Replacing(new IOException("the WAL failed"));
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "no incarnation: the former one is over, and a new one is being made (the WAL failed)\n"),
            await GetAsync("/readyz"));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/healthz"));
        _health.Stopping();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "stopping\n"), await GetAsync("/readyz"));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/healthz"));
    }

    [Fact]
    public async Task A_node_that_failed_is_neither_healthy_nor_ready()
    {
        _health.Ready(_metadata);
        _health.Failed(new IOException("the disk is gone"));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the disk is gone\n"), await GetAsync("/healthz"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the disk is gone\n"), await GetAsync("/readyz"));
    }

    [Fact]
    public async Task A_store_that_is_away_or_full_makes_a_node_not_ready_and_is_no_reason_to_restart_it()
    {
        _health.Uses(_storage);
        _storage.Trouble = new StoreTrouble(IsFull: false, "s3://b does not answer");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "starting\nstore away: s3://b does not answer\n"), await GetAsync("/readyz"));
        _health.Ready(_metadata);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready\nstore away: s3://b does not answer\n"), await GetAsync("/readyz"));
        Assert.Equal((HttpStatusCode.OK, "ok\nstore away: s3://b does not answer\n"), await GetAsync("/healthz"));

        _storage.Trouble = new StoreTrouble(IsFull: true, new string('x', 10_000));
        var (_, body) = await GetAsync("/readyz");
        Assert.StartsWith("not ready\nstore full: xxx", body, StringComparison.Ordinal);
        Assert.True(body.Length < 1000, $"{body.Length} characters");

        _storage.Trouble = null;
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/readyz"));
    }

    [Fact]
    public async Task Partitions_without_a_leader_are_named_up_to_a_bound_by_a_node_that_serves_the_rest()
    {
        var (id, self) = (new Guid(1, 2, 3, new byte[8]), new NodeId(1));
        var partitions = Enumerable.Range(0, 40).Select(index =>
            new PartitionImage(index, new StreamId(index), index < 3 ? self : null, new StreamEpoch(1), [self]));
        var topic = new TopicImage(id, "t", 1, [.. partitions], ImmutableSortedDictionary<string, string>.Empty);
        _metadata.Publish(MetadataImage.Empty with
        {
            Version = new(1, 1), Topics = MetadataImage.Empty.Topics.Add("t", topic), TopicNames = MetadataImage.Empty.TopicNames.Add(id, "t"),
        });
        _health.Ready(_metadata);

        var expected = (HttpStatusCode.OK, "ok\nwithout a leader: 37 of 40 partitions: t-3, t-4, t-5, t-6, t-7, t-8, t-9, t-10, t-11, t-12 and 27 more\n");
        Assert.Equal(expected, await GetAsync("/readyz"));
        Assert.Equal(expected, await GetAsync("/healthz"));
    }

    [Fact]
    public async Task How_many_brokers_there_should_be_is_told_as_a_number_in_an_object_and_not_at_all_where_it_is_not_known()
    {
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "{\"error\":\"The broker starts.\"}\n"), await GetAsync("/cluster/scaling"));

        _scaling.Uses(new Told(() => new() { Desired = -1, Why = "The scaler is off." }));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "{\"error\":\"The scaler is off.\"}\n"), await GetAsync("/cluster/scaling"));

        _scaling.Uses(new Told(() => throw new ControllerException(ControllerError.ControllerLost, "It is gone.")));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "{\"error\":\"It is gone.\"}\n"), await GetAsync("/cluster/scaling"));

        _scaling.Uses(new Told(() => new()
        {
            Mode = "on", Current = 3, Desired = 4, Min = 1, Max = 10, Serving = 3, Victim = -1, ControllerId = 2, Why = "so",
            Need = new() { Brokers = 3.5, Cpu = 0.6, TargetCpu = 0.5, Bytes = 7, TargetBytes = 0 },
        }));
        var (status, body) = await GetAsync("/cluster/scaling");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            """{"mode":"on","current":3,"desired":4,"min":1,"max":10,"serving":3,"needed":3.5,"cpu":0.6,"targetCpu":0.5,"""
            + "\"bytesPerSecond\":7,\"targetBytesPerSecond\":0,\"victim\":null,\"controller\":2,\"why\":\"so\"}\n",
            body);
        Assert.Equal(4, (int)JsonNode.Parse(body)!["desired"]!);
    }

    [Fact]
    public async Task Nothing_else_is_served()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/readyz/x")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/metrics")).Status);
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using var response = await _client.GetAsync(new Uri($"http://{_endpoints!.Address}{path}"), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>A controller that answers this to everything.</summary>
    private sealed class Told(Func<DescribeScalerResponse> answer) : IControllerChannel
    {
        public ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse> =>
            ValueTask.FromResult((TResponse)(object)answer());
    }
}
