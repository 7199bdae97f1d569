using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime.Buffers;
using Millrace.Server.Http;
using Millrace.Server.Transport;
using Xunit;

namespace Millrace.Tests.Server.Http;

public sealed class HttpEndpointsTests : IAsyncLifetime
{
    private readonly NodeHealth _health = new();
    private readonly HttpClient _client = new();
    private readonly RealNode _node = new();
    private readonly BufferPool _buffers = new(0);
    private HttpEndpoints? _endpoints;

    public async ValueTask InitializeAsync() =>
        _endpoints = await HttpEndpoints.StartAsync(
            new IPEndPoint(IPAddress.Loopback, 0), _health, new SocketTransport(_node.Runtime, _buffers), NullLoggerFactory.Instance, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _endpoints!.DisposeAsync();
        _node.Dispose();
        _buffers.Dispose();
    }

    [Fact]
    public async Task A_node_is_ready_between_its_start_and_its_stop()
    {
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "starting\n"), await GetAsync("/readyz"));
        _health.Ready();
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/readyz"));
        _health.Replacing(new IOException("the WAL failed"));
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "no incarnation: the former one is over, and a new one is being made (the WAL failed)\n"), await GetAsync("/readyz"));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/healthz"));
        _health.Stopping();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "stopping\n"), await GetAsync("/readyz"));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/healthz"));
    }

    [Fact]
    public async Task A_node_that_failed_is_neither_healthy_nor_ready()
    {
        _health.Ready();
        _health.Failed(new IOException("the disk is gone"));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the disk is gone\n"), await GetAsync("/healthz"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the disk is gone\n"), await GetAsync("/readyz"));
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
}
