using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Failover;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Simulation.Kernel;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// Another machine that takes the cluster from a living broker, as one would that takes it for dead: seals the metadata log, perhaps fences the
/// broker by registering, perhaps recovers its WAL as well; and leaves without a word.
/// </summary>
/// <param name="kernel">The world.</param>
/// <param name="files">Its own disk, or the broker's where the store is there.</param>
/// <param name="connect">To the broker's store.</param>
/// <param name="walsAreInStore">Whether it can take over the broker's WAL.</param>
internal sealed class Thief(
    SimulationKernel kernel, Func<Lane, IFileSystem> files, Func<NodeRuntime, Lane, ValueTask<IObjectStorage>> connect, bool walsAreInStore)
{
    private const string Host = "thief";
    private readonly SimulatedNode _machine = new(kernel, Host, files) { OnFailed = _ => { } };

    /// <summary>Begins, unless it is at it already.</summary>
    public void Begin()
    {
        if (!_machine.IsUp)
        {
            _ = LiveAsync();
        }
    }

    /// <summary>It stops in the middle of whatever it does.</summary>
    public void Kill()
    {
        if (_machine.IsUp)
        {
            _machine.Kill();
        }
    }

    private async Task LiveAsync()
    {
        try
        {
            await _machine.Start(RobAsync);
        }
        catch (Exception given) when (given is StreamException or ControllerException or ObjectStorageException
            or ObjectLogException or IOException or WalUnavailableException)
        {
            kernel.Coverage.Count("thief: gave up");
        }
        catch (Exception violation)
        {
            kernel.Fail(violation);
        }

        Kill();
    }

    private async Task RobAsync(NodeRuntime runtime)
    {
        var storage = await connect(runtime, _machine.Lane!);
        var buffers = kernel.NewBufferPool();
        var log = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), CancellationToken.None);
        var wals = new ObjectWalProvider(runtime, buffers, storage, new ObjectWalOptions());
        if (walsAreInStore && kernel.Random.Chance(0.5))
        {
            foreach (var wal in log.Image.Wals.Values.Where(wal => wal.State == WalState.Open))
            {
                var descriptor = new WalDescriptor(wal.Id, WalKind.Object, wal.Location, wal.Node, wal.Epoch);
                await using var taken = await wals.TakeOverAsync(descriptor, CancellationToken.None);
                kernel.Coverage.Count("thief: WALs sealed");
            }

            return;
        }

        var seal = new ControllerSeal { IncarnationId = runtime.NewId(), Host = Host, Port = 9092 };
        var options = new ClusterControllerOptions();
        if (await ClusterController.TryStartAsync(runtime, log, new MetadataFeed(), storage, seal, options, CancellationToken.None) is not { } controller)
        {
            return;
        }

        kernel.Coverage.Count("thief: logs sealed");
        if (kernel.Random.Chance(0.5))
        {
            await TakeOverAsync(runtime, storage, buffers, controller, seal, wals);
        }
    }

    private async Task TakeOverAsync(
        NodeRuntime runtime, IObjectStorage storage, BufferPool buffers, ClusterController controller, ControllerSeal seal, IWalProvider wals)
    {
        var endpoint = new ControllerEndpoint(runtime, controller, new ClusterControllerOptions());
        var channel = new ControllerChannel(new EncodedLink(endpoint.ExchangeAsync), controller.Metadata);
        var nodes = new NodeRegistry(runtime, channel);
        var self = await nodes.RegisterAsync(
            new NodeRegistration(seal.IncarnationId, [new(ListenerName.Plaintext, seal.Host, seal.Port)], null) { Name = BrokerMachine.NodeName },
            CancellationToken.None);
        kernel.Coverage.Count("thief: registered");
        if (walsAreInStore)
        {
            var registry = new StreamRegistry(channel, self);
            var failover = new ShareRecoverer(runtime, new StreamsOptions(), new UploadTarget(self, storage, registry, buffers));
            await using var metrics = new RecoveryMetrics();
            var recovery = new ShareTakeover(runtime, nodes, self, failover, metrics, _ => wals);
            var losses = new AcceptedLosses(runtime, nodes, self, []);
            var waiting = await nodes.GetWaitingWalsAsync(CancellationToken.None);
            await new StartRecovery(recovery, losses).RunAsync(waiting, triesAgain: false, CancellationToken.None);
            kernel.Coverage.Count("thief: WALs recovered");
        }
    }
}
