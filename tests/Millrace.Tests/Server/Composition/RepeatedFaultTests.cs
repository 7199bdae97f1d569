using System.Net;
using Microsoft.AspNetCore.Connections;
using Millrace.Controller.Nodes;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Server;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>A whole node on virtual time, whose disk has failed for good: how long it goes on trying takes a simulator no time.</summary>
public sealed class RepeatedFaultTests
{
    [Fact]
    public void A_fault_that_comes_back_with_every_incarnation_ends_the_node_with_its_reason()
    {
        using var kernel = new SimulationKernel(seed: 1);
        var disk = new SimulatedDisk(kernel, "broker");
        var machine = new SimulatedNode(kernel, "broker", disk.Mount);
        var incarnations = new RecordedIncarnations();
        Exception? reason = null;
        var took = TimeSpan.Zero;
        kernel.Run(() => machine.Start(async runtime =>
        {
            var host = await NodeHost.StartAsync(runtime, Options, NewComponents(kernel, machine), incarnations, CancellationToken.None);
            var begun = kernel.Now;
            disk.Weather = DiskWeather.Calm with { SyncFails = 1 };
            var current = host.Current!;
            await host.Member.Local!.Controller.SubmitAsync(entry => NodeOperations.Fence(entry, current.Self), CancellationToken.None);
            reason = await host.WaitForFailureAsync();
            took = kernel.Now - begun;
            await host.DisposeAsync();
        }));

        var told = Assert.IsType<NodeStartException>(reason).Message;
        Assert.Contains("10 incarnations in a row", told, StringComparison.Ordinal);
        Assert.Contains("input/output error", told, StringComparison.Ordinal);
        Assert.InRange(took, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1));
        Assert.Equal((1, 1), (incarnations.Served.Count, incarnations.Gone));
    }

    private static NodeOptions Options => NodeOptions.From(
        NodeSettings.From(
        [
            KeyValuePair.Create("listeners", "PLAINTEXT://127.0.0.1:9092"),
            KeyValuePair.Create(ServerSettings.InternalListener, "10.0.0.1:0"),
        ]), "/nowhere");

    private static NodeComponents NewComponents(SimulationKernel kernel, SimulatedNode machine)
    {
        var buffers = kernel.NewBufferPool();
        var network = new SimulatedNetwork(kernel);
        var storage = new SimulatedBucket(kernel).Connect(machine.Lane!);
        return new NodeComponents(
            storage, Wals, buffers, new NoClients(), network.At("10.0.0.1", machine.Lane!), network.From("10.0.0.1", machine.Lane!),
            static () => default);

        WalProviders Wals(NodeRuntime life, IObjectStorage store)
        {
            var own = new RingWalProvider(life, buffers, new WalFolder(life, "/data/wal", new() { Capacity = 512 << 10 }), new());
            return new WalProviders([own], kind => kind == own.Kind ? own : null);
        }
    }

    private sealed class NoClients : IConnectionListenerFactory, IConnectionListener
    {
        private readonly TaskCompletionSource<ConnectionContext?> _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint { get; } = new IPEndPoint(IPAddress.Loopback, 9092);

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => new(_unbound.Task.OrCancelled(cancellationToken));

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.TrySetResult(null);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
