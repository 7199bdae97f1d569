using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios.Wals;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>
/// One incarnation of a whole node below Kafka: takes the metadata log over, registers, recovers the WALs of those it fenced,
/// opens every stream, and works until something ends it.
/// </summary>
internal sealed class StoreNode(
    StoreWorld world, NodeRuntime runtime, IObjectStorage storage, UnfinishedWals unfinished, IWalProvider wals, BufferPool buffers)
{
    private readonly SeededRandom _random = new(world.Kernel.Random.NextUInt64());

    public async Task RunAsync(bool isAudit)
    {
        if (!isAudit)
        {
            await Task.Delay(_random.Between(TimeSpan.Zero, world.Patience), runtime.Time);
        }

        await unfinished.RemoveAsync(wals);
        var incarnation = runtime.NewId();
        var log = await MetadataLog.OpenAsync(runtime, storage, world.LogOptions, CancellationToken.None);
        var seal = new ControllerSeal { IncarnationId = incarnation, Host = "node", Port = 9092 };
        AskedController? controller;
        do
        {
            controller = await AskedController.TryStartAsync(runtime, log, storage, seal, world.ControllerOptions, Mend);
        }
        while (controller is null);
        var node = await controller.RegisterAsync(
            new NodeRegistration(incarnation, [new NodeEndpoint(ListenerName.Plaintext, "node", 9092)], null) { Name = "node" }, CancellationToken.None);
        world.NewestEpoch = node.Epoch > world.NewestEpoch ? node.Epoch : world.NewestEpoch;
        try
        {
            await ServeAsync(controller, node, isAudit);
        }
        catch (StreamException lost) when (lost.Error == StreamError.Fenced)
        {
            world.CheckFence(node.Epoch);
            throw;
        }
        catch (StreamException lost) when ((lost.Error is StreamError.Corrupt or StreamError.Unknown) && node.Epoch < world.NewestEpoch)
        {
            // What a deposed node misses, its successor has deleted long ago, or has only just created.
            world.Kernel.Coverage.Count("store: a deposed node missed something");
        }
    }

    private IControllerLink Mend(IControllerLink link) => world.Fault == PlantedFault.TakeLostControllerForFence ? new PlantedLink(link) : link;

    private async Task ServeAsync(AskedController controller, NodeIncarnation node, bool isAudit)
    {
        await using var cache = new ObjectCache(runtime, world.StreamsOptions, storage, buffers);
        await RecoverAsync(controller, node, cache);

        var descriptor = wals.Describe(node.Node, node.Epoch, []);
        var wal = await wals.CreateAsync(descriptor, CancellationToken.None);
        wal = world.Fault == PlantedFault.RefuseWhatIsAccepted ? new PlantedWal(wal, _random) : wal;
        await controller.RegisterWalAsync(node, descriptor, CancellationToken.None);
        var store = new StreamStore(runtime, world.StreamsOptions, new StreamsComponents(node, new NodeWals(wal), storage, controller, buffers, cache));
        var owners = await OpenAsync(controller, node, store, isAudit);
        if (isAudit)
        {
            return;
        }

        var until = runtime.Time.GetTimestamp();
        var lifetime = _random.Between(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(40));
        await Task.WhenAll(owners.Select(owner => owner.LiveAsync(() => world.IsOver || runtime.Time.GetElapsedTime(until) > lifetime)));
        await StopAsync(controller, node, store, wal);
    }

    private async Task RecoverAsync(AskedController controller, NodeIncarnation node, ObjectCache cache)
    {
        var shares = await controller.GetSharesAsync(node, CancellationToken.None);
        foreach (var waiting in await controller.GetWaitingWalsAsync(CancellationToken.None))
        {
            world.Kernel.Coverage.Count("store: WALs taken over");
            await using var recovery = await wals.TakeOverAsync(waiting.Wal, CancellationToken.None);
            var failover = new ShareRecoverer(runtime, world.StreamsOptions, new UploadTarget(node, storage, controller, buffers), cache);
            var result = await failover.RecoverAsync(recovery, shares.Single(share => share.WalId == waiting.Wal.Id), CancellationToken.None);
            world.Kernel.Coverage.Count("store: records recovered", result.Records);
        }
    }

    private async Task<List<SimulatedOwner>> OpenAsync(AskedController controller, NodeIncarnation node, StreamStore store, bool isAudit)
    {
        while (world.Streams.Count < world.WantedStreams)
        {
            var id = await controller.CreateAsync(node, CancellationToken.None);
            world.Streams.Add(new StreamOracle(world.Kernel, id));
        }

        List<SimulatedOwner> owners = [];
        foreach (var oracle in world.Streams.ToArray())
        {
            var owner = new SimulatedOwner(world, runtime, store, node.Epoch, oracle, buffers);
            await owner.OpenAsync(isAudit);
            owners.Add(owner);
        }

        world.Kernel.Coverage.Count("store: nodes that served");
        return owners;
    }

    private async Task StopAsync(AskedController controller, NodeIncarnation node, StreamStore store, IWriteAheadLog wal)
    {
        await store.CloseAsync(CancellationToken.None);
        await controller.LeaveAsync(node, store, CancellationToken.None);
        await store.DisposeAsync();
        await wal.RetireAsync(CancellationToken.None);
        await controller.DisposeAsync();
        world.Kernel.Coverage.Count("store: clean stops");
    }
}
