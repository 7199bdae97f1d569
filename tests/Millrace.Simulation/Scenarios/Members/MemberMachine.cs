using System.Net;
using Millrace.Cluster;
using Millrace.Cluster.Membership;
using Millrace.Controller.Clients;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Streams;

namespace Millrace.Simulation.Scenarios.Members;

/// <summary>A machine whose process is a member of the cluster, and asks its controller for topics.</summary>
internal sealed class MemberMachine
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly MemberWorld _world;
    private readonly SeededRandom _random;
    private ClusterMember? _member;
    private int _topics;

    public MemberMachine(MemberWorld world, string name)
    {
        _world = world;
        _random = new SeededRandom(world.Kernel.Random.NextUInt64());
        Node = new SimulatedNode(world.Kernel, name, lane => new SimulatedDisk(world.Kernel, name).Mount(lane));
    }

    public SimulatedNode Node { get; }

    /// <summary>Null while it has not joined.</summary>
    public ClusterMember? Member => Node.IsUp ? _member : null;

    public void Start(TimeSpan delay) => _world.Kernel.At(_world.Kernel.Now + delay, _world.Kernel.World, () =>
    {
        if (!Node.IsUp)
        {
            _ = LiveAsync();
        }
    });

    public void Kill()
    {
        if (Node.IsUp)
        {
            var lane = Node.Lane!;
            Node.Kill();
            _member = null;
            _world.Network.ProcessGone(lane);
            _world.Kernel.Coverage.Count("nodes: killed");
            Start(_random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3)));
        }
    }

    private async Task LiveAsync()
    {
        try
        {
            await Node.Start(RunAsync);
        }
        catch (Exception violation)
        {
            _world.Kernel.Fail(violation);
        }
    }

    private async Task RunAsync(NodeRuntime runtime)
    {
        var lane = Node.Lane!;
        var listener = await _world.Network.At(Node.Name, lane).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var address = new PeerAddress(Node.Name, ((IPEndPoint)listener.EndPoint).Port);
        var options = new ClusterOptions
        {
            Log = new MetadataLogOptions { SnapshotEntries = 20, SnapshotPartBytes = 500 },
            Link = endpoint => new EncodedLink(endpoint.ExchangeAsync),
        };
        var life = runtime.NewPart();
        var storage = new AwaitedObjectStorage(life, _world.Bucket.Connect(lane));
        _member = await ClusterMember.JoinAsync(
            life,
            storage,
            await MetadataLog.OpenAsync(life, storage, options.Log, CancellationToken.None),
            _world.Kernel.NewBufferPool(),
            listener,
            _world.Network.From(Node.Name, lane),
            address,
            options,
            CancellationToken.None);
        _world.Kernel.Coverage.Count("members: joined");
        await RegisterAsync(_member, runtime, address);
        using var watching = _member.Metadata.Subscribe(delta => _world.Oracle.Seen(delta.After));
        lane.Post(() => _ = WatchAsync(_member));
        var led = false;
        while (!_world.IsOver)
        {
            await Task.Delay(_random.Between(TimeSpan.Zero, LongestPause), runtime.Time);
            if (!IsLive(_member))
            {
                // Somebody took it for dead.
                _world.Kernel.Coverage.Count("members: fenced");
                await RegisterAsync(_member, runtime, address);
            }

            await CreateTopicAsync(_member, runtime);
            if (!led && _member.Local is not null)
            {
                led = true;
                _world.Kernel.Coverage.Count("members: led");
            }
        }
    }

    private static bool IsLive(ClusterMember member) =>
        member.Registered is { } self && member.Metadata.Image.Nodes.TryGetValue(self.Node, out var known) && known.Epoch == self.Epoch && known.IsLive;

    private async Task RegisterAsync(ClusterMember member, NodeRuntime runtime, PeerAddress address)
    {
        var registration = new NodeRegistration(runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, address.Host, 9092)], null)
        {
            Internal = address,
            Name = Node.Name,
        };
        for (; ; registration = registration with { Incarnation = runtime.NewId() })
        {
            using var patience = new CancellationTokenSource(Patience, runtime.Time);
            try
            {
                member.Registered = await new NodeRegistry(runtime, member.Channel).RegisterAsync(registration, patience.Token);
                return;
            }
            catch (Exception silence) when (silence is StreamException { Error: StreamError.Fenced } or OperationCanceledException)
            {
                _world.Kernel.Coverage.Count("members: asked without an answer");
                await Task.Delay(_random.Between(TimeSpan.Zero, LongestPause), runtime.Time);
            }
        }
    }

    private async Task WatchAsync(ClusterMember member) => _world.Kernel.Fail(await member.Failed);

    private async Task CreateTopicAsync(ClusterMember member, NodeRuntime runtime)
    {
        var name = $"{Node.Name}-{_topics++}";
        using var patience = new CancellationTokenSource(Patience, runtime.Time);
        try
        {
            var answer = await member.Channel.SendAsync<CreateTopicsRequest, CreateTopicsResponse>(
                new() { Topics = [new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 }] }, patience.Token);
            if (answer.Topics[0].ErrorCode == 0)
            {
                _world.Oracle.Created(name, answer.Topics[0].TopicId, member.Metadata.Image);
            }
            else if ((ErrorCode)answer.Topics[0].ErrorCode != ErrorCode.InvalidReplicationFactor)
            {
                _world.Kernel.Fail(new ViolationException($"Topic {name} was refused: {answer.Topics[0].ErrorMessage}"));
            }
        }
        catch (Exception silence) when (silence is ControllerException { Error: ControllerError.ControllerLost or ControllerError.Busy }
            or OperationCanceledException)
        {
            _world.Kernel.Coverage.Count(silence is ControllerException ? "members: controllers lost" : "members: asked without an answer");
        }
    }
}
