using System.Text;
using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.Controller.Failover;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Controller.Failover;

/// <summary>What a survivor tries again by itself, in virtual time: nothing in the metadata changes meanwhile.</summary>
public sealed class SurvivorPatienceTests
{
    [Fact]
    public void A_WAL_that_was_unusable_is_looked_at_again_after_a_while() =>
        Assert.InRange(TimeUntilLed(TimeSpan.FromMinutes(3), WalKind.Object, mend: null), TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(11));

    [Fact]
    public void A_WAL_of_a_node_that_is_away_is_looked_for_again_after_a_while() =>
        Assert.InRange(TimeUntilLed(TimeSpan.FromMinutes(3), WalKind.File, mend: null), TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(11));

    [Fact]
    public void A_share_that_the_controller_does_not_name_though_the_image_does_is_asked_for_again_soon() =>
        Assert.InRange(
            TimeUntilLed(unusable: TimeSpan.Zero, WalKind.Object, link => new Forgetful(link)), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));

    [Fact]
    public void A_controller_at_which_too_much_waits_is_asked_again() =>
        Assert.InRange(TimeUntilLed(unusable: TimeSpan.Zero, WalKind.File, link => new Busy(link)), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));

    private static TimeSpan TimeUntilLed(TimeSpan unusable, WalKind kind, Func<IControllerLink, IControllerLink>? mend)
    {
        using var kernel = new SimulationKernel(seed: 1);
        TimeSpan? took = null;
        kernel.Run(async () =>
        {
            var node = new SimulatedNode(kernel, "node", _ => null!);
            await node.Start(async runtime =>
            {
                var world = await World.BeginAsync(kernel, runtime, new SimulatedBucket(kernel).Connect(node.Lane!), mend);
                var (gone, wal) = await world.RegisterAsync("gone", kind);
                await world.FillAsync(gone, wal);
                var (survivor, _) = await world.RegisterAsync("survivor", WalKind.Object);
                var began = kernel.Now;
                world.Survive(survivor, new Unusable(world.Wals, () => kernel.Now - began < unusable));
                await world.Controller.Controller.FenceAsync(gone, default);
                while (took is null && kernel.Now < began + TimeSpan.FromMinutes(15))
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100), runtime.Time);
                    took = world.IsLed ? kernel.Now - began : null;
                }
            });
        });
        Assert.NotNull(took);
        return took.Value;
    }

    private sealed class World(NodeRuntime runtime, IObjectStorage storage, BufferPool buffers, AskedController controller)
    {
        public AskedController Controller => controller;

        public ObjectWalProvider Wals => new(runtime, buffers, storage, new ObjectWalOptions());

        public bool IsLed => controller.Metadata.Image.Topics["t"].Partitions.All(partition => partition.Leader is not null);

        public static async Task<World> BeginAsync(
            SimulationKernel kernel, NodeRuntime runtime, IObjectStorage storage, Func<IControllerLink, IControllerLink>? mend)
        {
            var log = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), default);
            var seal = new ControllerSeal { IncarnationId = runtime.NewId(), Host = "node", Port = 9092 };
            var controller = await AskedController.TryStartAsync(runtime, log, storage, seal, new ClusterControllerOptions(), mend);
            return new World(runtime, storage, kernel.NewBufferPool(), controller!);
        }

        public async Task<(NodeIncarnation Node, IWriteAheadLog Wal)> RegisterAsync(string name, WalKind kind)
        {
            var node = await controller.RegisterAsync(
                new NodeRegistration(runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, name, 9092)], null) { Name = name }, default);
            // It lies in the bucket, whoever is said to reach it.
            var descriptor = Wals.Describe(node.Node, node.Epoch, []) with { Kind = kind };
            await controller.RegisterWalAsync(node, descriptor, default);
            return (node, await Wals.CreateAsync(descriptor, default));
        }

        /// <summary>Makes a topic whose only partition has a record in a WAL, and no object that holds it.</summary>
        public async Task FillAsync(NodeIncarnation leader, IWriteAheadLog wal)
        {
            await controller.CreateTopicsAsync(
                new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }] }, default);
            var partition = controller.Metadata.Image.Topics["t"].Partitions[0];
            await controller.OpenAsync(leader, partition.Stream, partition.Epoch, default);
            await wal.AppendAsync(new StreamRecord(partition.Stream, partition.Epoch, 0, 1, -1, Encoding.ASCII.GetBytes("record")), out _);
        }

        public void Survive(NodeIncarnation survivor, IWalTakeover wals)
        {
            var nodes = new NodeRegistry(runtime, controller.Channel);
            var target = new UploadTarget(survivor, storage, new StreamRegistry(controller.Channel, survivor), buffers);
            var recovery = new ShareTakeover(runtime, nodes, survivor, new ShareRecoverer(runtime, TestNode.Small, target), new RecoveryMetrics(), _ => wals);
            var loop = new SurvivorLoop(runtime, survivor, recovery, new AcceptedLosses(runtime, nodes, survivor, []));
            _ = runtime.Spawn("survivor", token => loop.RunAsync(controller.Metadata, token));
        }
    }

    /// <summary>WALs that are damaged, or elsewhere, until somebody has seen to it.</summary>
    private sealed class Unusable(IWalTakeover wals, Func<bool> isSo) : IWalTakeover
    {
        public ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token) =>
            isSo() ? throw new WalUnavailableException(descriptor, "It is not here.") : wals.TakeOverAsync(descriptor, token);

        public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token) => wals.DiscardAsync(descriptor, token);
    }

    /// <summary>Answers the first question for shares as if there were none.</summary>
    private sealed class Forgetful(IControllerLink inner) : IControllerLink
    {
        private bool _hasForgotten;

        public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            var answer = await inner.CallAsync<TRequest, TResponse>(request, known, token);
            if (!_hasForgotten && answer.Response is ListSharesResponse shares)
            {
                _hasForgotten = true;
                shares.Shares = [];
            }

            return answer;
        }
    }

    /// <summary>Refuses the first claim.</summary>
    private sealed class Busy(IControllerLink inner) : IControllerLink
    {
        private bool _hasRefused;

        public ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse>
        {
            if (!_hasRefused && request is ClaimWalRequest)
            {
                _hasRefused = true;
                throw new ControllerException(ControllerError.Busy, "too much waits");
            }

            return inner.CallAsync<TRequest, TResponse>(request, known, token);
        }
    }
}
