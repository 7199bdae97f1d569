using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Cluster;
using Millrace.Cluster.Membership;
using Millrace.Controller.Clients;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;

namespace Millrace.Tests.Cluster;

/// <summary>A process that is a member of a cluster and has registered as a node, and does nothing else.</summary>
internal sealed class SimulatedMember
{
    private readonly TaskCompletionSource<ClusterMember> _joined = new();
    private readonly ClusterOptions _options;

    public SimulatedMember(SimulationKernel kernel, SimulatedBucket bucket, SimulatedNetwork network, string name, ClusterOptions options)
    {
        _options = options;
        Node = new SimulatedNode(kernel, name, lane => new SimulatedDisk(kernel, name).Mount(lane));
        _ = Node.Start(runtime => LiveAsync(runtime, kernel, bucket, network));
    }

    public SimulatedNode Node { get; }

    /// <summary>Whoever it dials from now on refuses.</summary>
    public bool IsRefusedByOthers { get; set; }

    /// <summary>Its way to the bucket.</summary>
    public SimulatedStorageClient? Storage { get; private set; }

    public Task Joined => _joined.Task;

    public ClusterMember Member => _joined.Task.Result;

    private async Task LiveAsync(NodeRuntime runtime, SimulationKernel kernel, SimulatedBucket bucket, SimulatedNetwork network)
    {
        var lane = Node.Lane!;
        var listener = await network.At(Node.Name, lane).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var address = new PeerAddress(Node.Name, ((IPEndPoint)listener.EndPoint).Port);
        Storage = bucket.Connect(lane);
        var life = runtime.NewPart();
        var storage = new AwaitedObjectStorage(life, Storage);
        var log = await MetadataLog.OpenAsync(life, storage, _options.Log, CancellationToken.None);
        var member = await ClusterMember.JoinAsync(
            life, storage, log, kernel.NewBufferPool(), listener, new Dialling(network.From(Node.Name, lane), this), address, _options,
            CancellationToken.None);
        member.Registered = await new NodeRegistry(runtime, member.Channel).RegisterAsync(
            new NodeRegistration(runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, Node.Name, 9092)], null)
            {
                Internal = address,
                Name = Node.Name,
            },
            CancellationToken.None);
        _joined.SetResult(member);
        await member.Failed;
    }

    private sealed class Dialling(IConnectionFactory network, SimulatedMember member) : IConnectionFactory
    {
        public ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken token) =>
            member.IsRefusedByOthers ? throw new SocketException((int)SocketError.ConnectionRefused) : network.ConnectAsync(endpoint, token);
    }
}
