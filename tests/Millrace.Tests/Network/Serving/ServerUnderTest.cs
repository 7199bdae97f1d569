using System.Net;
using Millrace.Broker.Apis;
using Millrace.Broker.Apis.Cluster;
using Millrace.Network.Serving;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Buffers;
using Millrace.Server.Transport;

namespace Millrace.Tests.Network.Serving;

/// <summary>The network server on a port of the loopback, with ApiVersions and one handler of the test's.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    private readonly RealNode _node;
    private readonly BufferPool _buffers = new(1 << 20);

    // Apart from the requests' own, of which each must come back.
    private readonly BufferPool _transportBuffers = new(0);

    private ServerUnderTest(NetworkOptions options, HeldHandler handler, RequestSteps steps)
    {
        _node = new RealNode(Log);
        Handler = handler;
        Server = new NetworkServer(
            _node.Runtime,
            options,
            new RequestPipeline(
                ApiTable.With(
                    new ApiVersionsHandler(new MetadataFeed()),
                    [
                        ApiEntry.For<HeldHandler, HeartbeatRequest, HeartbeatResponse>(handler),
                        ApiEntry.For<ParkedProduceHandler, ProduceRequest, ProduceResponse>(Produces),
                    ]),
                steps),
            _buffers,
            meter: "Millrace.Tests");
    }

    public NetworkServer Server { get; }

    public RecordedLog Log { get; } = new();

    public HeldHandler Handler { get; }

    public ParkedProduceHandler Produces { get; } = new();

    public BufferPool Buffers => _buffers;

    public EndPoint Address { get; private set; } = new IPEndPoint(IPAddress.None, 0);

    public static async Task<ServerUnderTest> StartAsync(NetworkOptions? options = null, bool lettingNextBegin = false, RequestSteps? steps = null)
    {
        var server = new ServerUnderTest(options ?? new NetworkOptions(), new HeldHandler(lettingNextBegin), steps ?? RequestSteps.Open);
        var listener = await new SocketTransport(server._node.Runtime, server._transportBuffers).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        server.Address = listener.EndPoint;
        server.Server.Serve(listener, ListenerName.Plaintext);
        return server;
    }

    /// <summary>Something brought the node down.</summary>
    public bool HasFailed => _node.Runtime.Failed.IsCompleted;

    public Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(Address);

    /// <summary>The broker is well: a new client gets an answer.</summary>
    public async Task<bool> AnswersAsync()
    {
        using var client = await ConnectAsync();
        await client.SendAsync(new ApiVersionsRequest(), version: 0, correlationId: 4711);
        var (correlationId, response) = await client.ReceiveAsync<ApiVersionsResponse>(0);
        return correlationId == 4711 && response.ErrorCode == (short)ErrorCode.None;
    }

    public async Task<bool> AllBuffersAreReturnedAsync() =>
        await Eventually.BecomesTrueAsync(() => _buffers.RentedBytes == 0 && Server.Budgets.Used == 0);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _node.Dispose();
        _buffers.Dispose();
        _transportBuffers.Dispose();
    }
}
