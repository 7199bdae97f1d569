using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Apis;
using Millrace.Broker.Apis.Data;
using Millrace.Broker.Following;
using Millrace.Broker.Groups;
using Millrace.Broker.Loads;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Network.Serving;
using Millrace.Broker.Partitions;
using Millrace.Broker.Purgatory;
using Millrace.Network.Requests;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Broker;

/// <summary>
/// The Kafka side of one node: partitions, groups, API handlers and the network server, over a stream store and a
/// controller that the composition hands in.
/// </summary>
/// <remarks>
/// Life: <see cref="Start"/> once this incarnation has been assigned its partitions, <see cref="Serve"/> when clients may come,
/// then <see cref="StopAsync"/>. The stream store is closed by its owner afterwards. Threading: any thread.
/// </remarks>
public sealed class KafkaBroker : IAsyncDisposable
{
    private readonly PartitionTable _partitions;
    private readonly PartitionMaintenance _maintenance;
    private readonly GroupElections _elections;
    private readonly UncleanedTopics _uncleaned;
    private readonly DepartedNodes _departed;
    private readonly NetworkServer _network;
    private readonly BrokerMetrics _metrics = new();
    private readonly DataMetrics _dataMetrics = new();
    private readonly LoadMeter _loads;
    private readonly LoadMetrics _loadMetrics;
    private readonly RackReads _racks;

    /// <param name="runtime">The node's.</param>
    /// <param name="identity">Who this broker is.</param>
    /// <param name="metadata">Tells it about the cluster.</param>
    /// <param name="controller">Carries out what changes the cluster.</param>
    /// <param name="lease">Lets it answer reads.</param>
    /// <param name="streams">Holds the partitions' records.</param>
    /// <param name="buffers">Memory for requests; the stream store's and the transport's too.</param>
    /// <param name="cacheBytes">What the stream store's caches may take of the buffers; answers get what they leave.</param>
    /// <param name="network">Bounds what peers can do.</param>
    /// <param name="peers">The way to other nodes.</param>
    /// <param name="process">What the process has taken of its machine by now.</param>
    public KafkaBroker(
        NodeRuntime runtime, BrokerIdentity identity, IMetadataFeed metadata, IControllerChannel controller, IReadLease lease, IStreamStore streams,
        BufferPool buffers, long cacheBytes, NetworkOptions network, IConnectionFactory peers, Func<ProcessUse> process)
    {
        _partitions = new PartitionTable(runtime, streams, metadata, identity);
        _maintenance = new PartitionMaintenance(runtime, _partitions, identity.Configs);
        var groups = new GroupCoordinator(runtime, GroupConfigs.Read(identity.Configs));
        var warm = new WarmCoordinators(identity, metadata, controller, streams, groups);
        _elections = new GroupElections(runtime, identity.Node, metadata, _partitions, groups, warm, buffers);
        _uncleaned = new UncleanedTopics(runtime.Loggers.CreateLogger<UncleanedTopics>(), metadata, identity.Configs);
        _departed = new DepartedNodes(runtime.Time, metadata);
        var fetches = new FetchPurgatory(runtime);
        _loads = new LoadMeter(runtime, _partitions, streams, process, () => _network!.Metrics.AnsweredRequests);
        _loadMetrics = new LoadMetrics(_loads, metadata);
        _metrics.Observe(_dataMetrics, _partitions, fetches, groups, buffers);
        _racks = new RackReads(runtime, identity, metadata, streams, buffers, peers);
        var components = new BrokerComponents
        {
            Runtime = runtime,
            Identity = identity,
            Metadata = metadata,
            Controller = controller,
            Departed = _departed,
            Lease = lease,
            Partitions = _partitions,
            Buffers = buffers,
            FetchLimit = new FetchLimit(identity, metadata, buffers, cacheBytes),
            Racks = _racks,
            Groups = groups,
            Fetches = fetches,
            Metrics = _dataMetrics,
            Loads = _loads,
        };
        _network = new NetworkServer(runtime, network, new RequestPipeline(ApiTable.Create(components), RequestSteps.Open), buffers, BrokerMeter.Name);
        Followers = ApiTable.Followers(components);
    }

    /// <summary>Answers other brokers, which follow what this one leads.</summary>
    public FollowerService Followers { get; }

    public int ConnectionCount => _network.ConnectionCount;

    /// <summary>What this broker has had to do over the last window; null before the first is over.</summary>
    public NodeLoad? Load => _loads.Newest;

    /// <summary>Begins to follow the cluster's image: opens the partitions that this node leads.</summary>
    public void Start()
    {
        _partitions.Start();
        _elections.Start();
        _maintenance.Start();
        _uncleaned.Start();
        _departed.Start();
        _racks.Followed.Start();
        _loads.Start(_loadMetrics.Renew);
    }

    /// <summary>Begins to accept clients from a bound listener, which this owns from now on.</summary>
    public void Serve(IConnectionListener listener, ListenerName name) => _network.Serve(listener, name);

    /// <summary>Takes no more requests, lets those under way end, and closes the partitions: their tails are uploaded.</summary>
    /// <param name="grace">How long requests under way may take.</param>
    /// <param name="token">Ends the wait for the uploads; what is not uploaded stays in the WAL.</param>
    public async ValueTask StopAsync(TimeSpan grace, CancellationToken token)
    {
        // Members that wait for their groups would wait for longer than anyone who stops a broker.
        _elections.Dispose();
        _uncleaned.Dispose();
        _departed.Dispose();
        _racks.Followed.End();
        await _network.DrainAsync(grace);
        await _partitions.CloseAsync(token);
    }

    /// <summary>Cuts every connection. Partitions that were not closed stay as they are: the store's WAL holds what is acknowledged.</summary>
    public async ValueTask DisposeAsync()
    {
        // What waits in a group is owed nothing any more, and would keep its connection, and timers the node.
        _elections.Dispose();
        await _network.DisposeAsync();
        await _racks.DisposeAsync();
        _metrics.Dispose();
        _dataMetrics.Dispose();
        _loadMetrics.Dispose();
    }
}
