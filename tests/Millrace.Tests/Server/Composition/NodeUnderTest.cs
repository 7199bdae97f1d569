using System.Net;
using Millrace.Controller;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Server.Transport;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Tests.Network.Serving;

namespace Millrace.Tests.Server.Composition;

/// <summary>A whole node in this process: real sockets, over a store and a WAL that the test chooses and that outlive it.</summary>
internal sealed class NodeUnderTest : IAsyncDisposable
{
    private readonly NodeRuntime _runtime;
    private readonly SocketTransport _transport;

    private NodeUnderTest(
        NodeRuntime runtime, BufferPool buffers, SocketTransport transport, NodeHost host, RecordedIncarnations incarnations, RecordedLog log) =>
        (_runtime, Buffers, _transport, Host, Incarnations, Node, Log) = (runtime, buffers, transport, host, incarnations, host.Current!, log);

    public NodeHost Host { get; }

    /// <summary>The controller, which lives in this process.</summary>
    public ClusterController Controller => Host.Member.Local!.Controller;

    /// <summary>The first incarnation, whether or not it still serves.</summary>
    public Incarnation Node { get; }

    public RecordedIncarnations Incarnations { get; }

    public RecordedLog Log { get; }

    /// <summary>The node's memory; what it lets go is poisoned.</summary>
    public BufferPool Buffers { get; }

    /// <summary>Bytes of memory that somebody still holds; what connections have left for the next one does not count.</summary>
    public long HeldBytes
    {
        get
        {
            // Twice: the first call gives up what was idle all the time since the last one.
            _transport.Trim();
            _transport.Trim();
            return Buffers.RentedBytes;
        }
    }

    public static Task<NodeUnderTest> StartAsync(IObjectStorage storage, string wal, params (string Key, string Value)[] settings) =>
        StartAsync(storage, wal, [], settings);

    public static Task<NodeUnderTest> StartAsync(
        IObjectStorage storage, string wal, IReadOnlyList<string> acceptLoss, params (string Key, string Value)[] settings) =>
        StartAsync(storage, wal, options => options with { AcceptLoss = acceptLoss }, settings);

    public static Task<NodeUnderTest> StartAsync(
        IObjectStorage storage, string wal, Func<NodeOptions, NodeOptions> adjust, params (string Key, string Value)[] settings) =>
        StartAsync(storage, wal, new LinuxFileSystem(TaskScheduler.Default), adjust, settings);

    /// <param name="storage">The cluster.</param>
    /// <param name="wal">The WAL's URI.</param>
    /// <param name="files">The disk under the WAL.</param>
    /// <param name="adjust">For what no setting reaches.</param>
    /// <param name="settings">Kafka's, and ours.</param>
    public static Task<NodeUnderTest> StartAsync(
        IObjectStorage storage, string wal, IFileSystem files, Func<NodeOptions, NodeOptions> adjust, params (string Key, string Value)[] settings) =>
        StartAsync(storage, wal, files, adjust, name: "node", settings);

    /// <param name="storage">The cluster.</param>
    /// <param name="wal">The WAL's URI.</param>
    /// <param name="files">The disk under the WAL.</param>
    /// <param name="adjust">For what no setting reaches.</param>
    /// <param name="name">What the node is called for good.</param>
    /// <param name="settings">Kafka's, and ours.</param>
    public static async Task<NodeUnderTest> StartAsync(
        IObjectStorage storage, string wal, IFileSystem files, Func<NodeOptions, NodeOptions> adjust, string name, params (string Key, string Value)[] settings)
    {
        var log = new RecordedLog();
        var runtime = new NodeRuntime(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), files, log);
        var buffers = new BufferPool(16 << 20) { Poisons = true };
        var options = adjust(NodeOptions.From(
            NodeSettings.From([
                KeyValuePair.Create("listeners", "PLAINTEXT://127.0.0.1:0"),
                KeyValuePair.Create(ServerSettings.NodeName, name),
                .. settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)),
            ]),
            "/nowhere"));
        options = options with { Cluster = options.Cluster with { Link = endpoint => new EncodedLink(endpoint.ExchangeAsync) } };
        var transport = new SocketTransport(runtime, buffers);
        var components = new NodeComponents(storage, Wals, buffers, transport, transport, transport, static () => default);
        var incarnations = new RecordedIncarnations();
        try
        {
            var host = await NodeHost.StartAsync(runtime, options, components, incarnations, CancellationToken.None);
            return new NodeUnderTest(runtime, buffers, transport, host, incarnations, log);
        }
        catch
        {
            runtime.Stop();
            runtime.Dispose();
            buffers.Dispose();
            throw;
        }

        WalProviders Wals(NodeRuntime life, IObjectStorage store)
        {
            IWalProvider[] own =
            [
                .. WalUri.ParseAll(wal.Split(',')).Select(uri => uri.CreateProvider(life, buffers, store, new BlockDevices(life, buffers, null, []))),
            ];
            return new WalProviders(own, kind => Array.Find(own, provider => provider.Kind == kind && kind != WalKind.Memory));
        }
    }

    public Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)Host.Address).Port));

    /// <summary>One request on a connection of its own.</summary>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        using var client = await ConnectAsync();
        await client.SendAsync(request, version, correlationId: 1);
        return (await client.ReceiveAsync<TResponse>(version)).Response;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _runtime.Stop();
        _runtime.Dispose();
        Buffers.Dispose();
    }
}
