using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Broker;
using Millrace.Broker.Network;
using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;

namespace Millrace.Server.Composition;

/// <summary>
/// The steps of a start, in the order that safety asks for: nobody is deposed who answers, nothing is served that is not
/// known to be complete, and the former incarnation is fenced before its WAL is read.
/// </summary>
internal sealed class NodeStart(NodeRuntime runtime, NodeOptions options, NodeComponents components)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<NodeStart>();

    // What was made so far: goes, in reverse order, if a later step fails.
    private readonly Stack<IAsyncDisposable> _made = new();

    public async Task<MillraceNode> RunAsync(CancellationToken token)
    {
        Log.Starting(_logger, options.Store, options.Wal, options.Settings.ToString());
        if (options.Settings.WithoutEffect.Count > 0)
        {
            Log.WithoutEffect(_logger, string.Join(", ", options.Settings.WithoutEffect));
        }

        var started = runtime.Time.GetTimestamp();
        try
        {
            var node = await MakeAsync(token);
            Log.Ready(_logger, node.Address, (long)runtime.Time.GetElapsedTime(started).TotalMilliseconds);
            return node;
        }
        catch
        {
            while (_made.TryPop(out var made))
            {
                await made.DisposeAsync();
            }

            throw;
        }
    }

    private async Task<MillraceNode> MakeAsync(CancellationToken token)
    {
        await RemoveUnfinishedAsync(token);
        var incarnation = runtime.NewId();
        var log = await OpenLogAsync(token);
        await RefuseIfAliveAsync(log, token);
        // Bound before the cluster is taken over, since that is where a start may well fail; and after the look at the former owner, since
        // it may have listened here.
        var listener = await BindAsync(token);
        var controller = await TakeOverAsync(log, incarnation, listener.EndPoint, token);
        var (host, port) = AdvertisedAddress(listener.EndPoint);
        var self = await RegisterAsync(controller, new NodeRegistration(incarnation, host, port, options.Rack, options.NodeId), token);
        var image = controller.Metadata.Image;
        Log.Registered(_logger, self.Node, self.Epoch, image.ClusterId);

        // The former WALs before the new one: recovering needs the store alone, and what it frees may be all the room that a new one has. The
        // new one is known before it is made: a crash in between leaves a name without a file, and never a file without a name.
        var former = new FormerWals(runtime, options, components, controller, self);
        await former.RecoverAsync(token);
        await former.MakeRoomAsync(token);
        var descriptor = components.Wal.Describe(self.Node, self.Epoch);
        await controller.RegisterWalAsync(self, descriptor, token);
        var wal = Made(await components.Wal.CreateAsync(descriptor, token));
        await controller.AssignPartitionsAsync(self, token);

        var streams = Made(new StreamStore(
            runtime, options.Streams, new StreamsComponents(self, wal, components.Storage, controller, components.Buffers)));
        var identity = new BrokerIdentity(self.Node, self.Epoch, new ConfigResolver(self.Node, options.Settings.Values));
        var broker = Made(new KafkaBroker(
            runtime, identity, controller.Metadata, new InProcessController(controller), streams, components.Buffers,
            options.Streams.NotUploadedBytes + options.Streams.BlockCacheBytes, options.Network));
        broker.Start();
        broker.Serve(listener, ListenerName.Plaintext);
        _ = runtime.Spawn("former-wals", former.GiveBackAsync);
        return new MillraceNode(runtime, options)
        {
            Address = listener.EndPoint,
            Incarnation = self,
            Controller = controller,
            Wal = wal,
            Streams = streams,
            Broker = broker,
        };
    }

    private async Task RemoveUnfinishedAsync(CancellationToken token)
    {
        try
        {
            await components.Wal.RemoveUnfinishedAsync(token);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.UnfinishedNotRemoved(_logger, failure.Message);
        }
    }

    private async Task<MetadataLog> OpenLogAsync(CancellationToken token)
    {
        await StorageProbe.CheckAsync(runtime, components.Storage, options.StoreWait, token);
        return Made(await MetadataLog.OpenAsync(runtime, components.Storage, new MetadataLogOptions(), token));
    }

    /// <summary>A cluster of one has one broker: a second one on its bucket would depose it.</summary>
    private async Task RefuseIfAliveAsync(MetadataLog log, CancellationToken token)
    {
        if (log.Owner is not { } owner || HasLeft(log.Image, owner))
        {
            return;
        }

        if (await components.Peers.AnswersAsync(owner.Host, owner.Port, log.Image.ClusterId, token))
        {
            throw new NodeStartException(
                $"A broker of cluster {log.Image.ClusterId} is alive at {owner.Host}:{owner.Port}, and it owns the store {components.Storage.Name}. "
                + "Stop it first, or give this one another store (--store, --data-dir).");
        }

        Log.TakingOver(_logger, log.Image.ClusterId, $"{owner.Host}:{owner.Port}");
    }

    private static bool HasLeft(MetadataImage image, ControllerSeal owner) =>
        image.Nodes.Values.Any(node => node.Incarnation == owner.IncarnationId && node.State == NodeState.Stopped);

    private async Task<IConnectionListener> BindAsync(CancellationToken token)
    {
        try
        {
            var listener = await components.Transport.BindAsync(await options.Listen.ResolveAsync(token), token);
            _made.Push(listener);
            return listener;
        }
        catch (AddressInUseException taken)
        {
            throw new NodeStartException(
                $"Cannot listen on {options.Listen}: another process does. Stop it, or choose another address with --listen HOST:PORT.", taken);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            throw new NodeStartException($"Cannot listen on {options.Listen}: {failure.Message}. Choose another address with --listen HOST:PORT.", failure);
        }
    }

    private async Task<ClusterController> TakeOverAsync(MetadataLog log, Guid incarnation, EndPoint bound, CancellationToken token)
    {
        var (host, port) = AdvertisedAddress(bound);
        var seal = new ControllerSeal { IncarnationId = incarnation, Host = host, Port = port };
        if (await ClusterController.TryStartAsync(runtime, log, components.Storage, seal, options.Controller, token) is { } controller)
        {
            // The log is the controller's now.
            _made.Push(controller);
            return controller;
        }

        throw new NodeStartException(
            $"Another broker took the store {components.Storage.Name} over at the same moment: {log.Owner?.Host}:{log.Owner?.Port}.");
    }

    private static async Task<NodeIncarnation> RegisterAsync(ClusterController controller, NodeRegistration registration, CancellationToken token)
    {
        try
        {
            return await controller.RegisterAsync(registration, token);
        }
        catch (NodeIdException refusal)
        {
            throw new NodeStartException(refusal.Message, refusal);
        }
    }

    private (string Host, int Port) AdvertisedAddress(EndPoint bound)
    {
        var port = (bound as IPEndPoint)?.Port ?? options.Listen.Port;
        return options.Advertised is { } advertised ? (advertised.Host, advertised.Port)
            : options.Listen.IsEveryInterface ? (Dns.GetHostName(), port)
            : (options.Listen.Host, port);
    }

    private T Made<T>(T made)
        where T : IAsyncDisposable
    {
        _made.Push(made);
        return made;
    }
}
