using Millrace.Metadata.Image;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Brokers;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Clients of the cluster, who know its brokers by their addresses alone: plain and idempotent producers and a reader of each partition of one topic, a group
/// of two, and somebody who watches each partition's end, at whoever led it when he came, for as long as he is answered. They neither die nor sleep.
/// </summary>
/// <param name="kernel">Their world.</param>
/// <param name="brokers">All of them.</param>
/// <param name="plot">What the world is about.</param>
/// <param name="racks">The brokers'; none where they have none.</param>
/// <param name="hasSeveralWals">Whether topics may choose among the WALs of each broker.</param>
/// <param name="hasDevices">Whether one of them lies on a device.</param>
/// <param name="weather">How the network between them and the brokers behaves.</param>
internal sealed class ClusterClients(
    SimulationKernel kernel, BrokerDirectory brokers, ClusterPlot plot, IReadOnlyList<string> racks, bool hasSeveralWals,
    bool hasDevices, Func<NetworkWeather> weather)
{
    private const string Group = "of-two";
    private const int Members = 2;

    // There is one in each rack.
    private const short ReplicasInRacks = 3;

    /// <summary>Longer than any world: what a producer sent is never forgotten.</summary>
    private static readonly TimeSpan NeverForgotten = TimeSpan.FromDays(20);

    private readonly TimeSpan _patience = kernel.Random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(kernel.Random.Pick([3, 15])));

    // Who is kept waiting soon asks elsewhere, and is told by a successor what the one who keeps it waiting does not know.
    private readonly TimeSpan _producersPatience = kernel.Random.Between(TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(2));
    private BrokerClient[] _clients = [];
    private PassingTopics? _passing;
    private GroupOracle? _group;
    private bool _isOver;

    public async Task<TopicOracle> CreateTopicAsync(int partitions) =>
        await new StableTopic(kernel, kernel.World, ConnectToAny("creator"))
            .CreateAsync(BrokerWorld.Topic, partitions, replicas: racks.Count > 0 ? ReplicasInRacks : (short)1);

    /// <summary>Begins to work on a topic.</summary>
    public Task[] Start(TopicOracle topic)
    {
        _group = new GroupOracle(kernel, Group, topic.Partitions.Count);
        _clients = [.. topic.Partitions.Select(NewClient)];
        _passing = new PassingTopics(kernel, ConnectToAny, ConnectToLeader);
        return
        [
            _passing.RunAsync(() => _isOver),
            .. Movers(topic),
            .. hasSeveralWals ? [new ChangingWals(kernel, ConnectToAny("chooser"), topic.Name, hasDevices).RunAsync(() => _isOver)] : Array.Empty<Task>(),
            .. _clients.Select(client => client.RunAsync(() => _isOver)),
            .. topic.Partitions.Select(partition => NewProducer(partition).RunAsync(() => _isOver)),
            .. topic.Partitions.Select(partition => WatchAsync(NewWatcher(partition), partition)),
            .. racks.SelectMany(rack => topic.Partitions.Select(partition => NewRackReader(rack, partition).RunAsync(() => _isOver))),
            .. Enumerable.Range(0, Members).Select(i => NewMember(_group, $"member{i}", topic).RunAsync(() => _isOver)),
        ];
    }

    /// <summary>They end their work when what is under way is over.</summary>
    public void Stop() => _isOver = true;

    /// <summary>Everything is fetched, from the first offset to the last, and the groups are where they were.</summary>
    public async Task AuditAsync()
    {
        for (var i = 0; i < _clients.Length; i++)
        {
            await _clients[i].AuditAsync(_group!.Offsets[i]);
        }
    }

    /// <summary>The topics that came and went are those that they should be.</summary>
    public Task AuditTopicsAsync(MetadataImage image, int streams) => _passing!.AuditAsync(image, streams);

    /// <summary>In some worlds partitions move only where brokers are lost.</summary>
    private IEnumerable<Task> Movers(TopicOracle topic) =>
        plot == ClusterPlot.HandOvers || kernel.Random.Chance(0.7)
            ? [new MovingPartitions(kernel, ConnectToAny("mover"), topic.Name, plot, keepsReplicas: racks.Count > 0).RunAsync(() => _isOver)]
            : [];

    private BrokerClient NewClient(PartitionOracle partition)
    {
        var name = $"client{partition.Partition}";
        var versions = new SpokenVersions(kernel.Random);
        var leader = ConnectToLeader(name, partition);
        Dictionary<string, SimulatedClient> coordinators = [];
        return new BrokerClient(
            kernel, kernel.World, leader, CoordinatorOf, versions, new PartitionReader(kernel, leader, versions, partition));

        SimulatedClient CoordinatorOf(string group) => coordinators.TryGetValue(group, out var known)
            ? known
            : coordinators[group] = ConnectToCoordinator($"{name}-{group}", group);
    }

    private IdempotentProducer NewProducer(PartitionOracle partition) =>
        new(kernel, kernel.World, ConnectToLeader($"producer{partition.Partition}", partition, _producersPatience), partition, NeverForgotten);

    private PartitionReader NewWatcher(PartitionOracle partition) =>
        new(kernel, ConnectToLeader($"watcher{partition.Partition}", partition), new SpokenVersions(kernel.Random), partition);

    private RackReader NewRackReader(string rack, PartitionOracle partition)
    {
        var name = $"reader{partition.Partition}-{rack}";
        var route = new RackRoute(rack, new LeaderRoute(kernel, brokers, Connect($"{name}-metadata", brokers, _patience), partition));
        return new RackReader(
            kernel, route, new PartitionReader(kernel, Connect(name, route, _patience), new SpokenVersions(kernel.Random), partition, route));
    }

    private async Task WatchAsync(PartitionReader reader, PartitionOracle partition)
    {
        while (!_isOver)
        {
            try
            {
                await reader.FetchAsync(partition.End);
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await kernel.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    private GroupMember NewMember(GroupOracle group, string name, TopicOracle topic)
    {
        var versions = new SpokenVersions(kernel.Random);
        return new GroupMember(
            kernel, kernel.World, ConnectToCoordinator(name, group.Group), versions, group,
            [
                .. topic.Partitions.Select(
                    partition => new PartitionReader(kernel, ConnectToLeader($"{name}-{partition.Partition}", partition), versions, partition)),
            ]);
    }

    private SimulatedClient ConnectToAny(string name) => Connect(name, brokers, _patience);

    private SimulatedClient ConnectToLeader(string name, PartitionOracle partition) => ConnectToLeader(name, partition, _patience);

    private SimulatedClient ConnectToLeader(string name, PartitionOracle partition, TimeSpan patience) =>
        Connect(name, new LeaderRoute(kernel, brokers, Connect($"{name}-metadata", brokers, patience), partition), patience);

    private SimulatedClient ConnectToCoordinator(string name, string group) =>
        Connect(name, new CoordinatorRoute(kernel, brokers, ConnectToAny($"{name}-metadata"), group), _patience);

    private SimulatedClient Connect(string name, IServerRoute route, TimeSpan patience) =>
        new(kernel, kernel.World, name, route, weather) { Patience = patience, Gaps = kernel.Random.Pick([0, 0.3]) };
}
