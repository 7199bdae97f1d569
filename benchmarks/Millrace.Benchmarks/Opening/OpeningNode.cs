using System.Text;
using Millrace.Broker.Membership;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Controller.Clients;
using Millrace.Controller.Failover;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;

namespace Millrace.Benchmarks.Opening;

/// <summary>An incarnation of the cluster's one node, with the partitions that it leads, and a WAL in the store.</summary>
internal sealed class OpeningNode : IAsyncDisposable
{
    private static readonly StreamsOptions Options = new();
    private readonly NodeRuntime _life;
    private readonly BufferPool _buffers = new(maxIdleBytes: 64 << 20);
    private readonly NodeRegistry _nodes;
    private readonly ObjectCache _cache;
    private readonly ObjectWalProvider _wals;
    private IWriteAheadLog? _wal;
    private PartitionTable? _table;

    private OpeningNode(OpeningCluster cluster)
    {
        Cluster = cluster;
        _life = cluster.Runtime.NewPart();
        _nodes = new NodeRegistry(_life, cluster.Channel);
        _cache = new ObjectCache(_life, Options, cluster.Storage, _buffers);
        _wals = new ObjectWalProvider(_life, _buffers, cluster.Storage, new());
    }

    public OpeningCluster Cluster { get; }

    public NodeIncarnation Self { get; private set; }

    public StreamStore? Store { get; private set; }

    public static async Task<OpeningNode> RegisterAsync(OpeningCluster cluster)
    {
        var node = new OpeningNode(cluster);
        node.Self = await node._nodes.RegisterAsync(
            new NodeRegistration(cluster.Runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "host", 9092)], null) { Name = "node" }, default);
        return node;
    }

    /// <summary>Commits what a former incarnation left in its WAL, and leads all of its partitions from then on.</summary>
    public async Task RecoverAsync()
    {
        var registry = new StreamRegistry(Cluster.Channel, Self);
        var failover = new ShareRecoverer(_life, Options, new UploadTarget(Self, Cluster.Storage, registry, _buffers), _cache);
        await using var metrics = new RecoveryMetrics();
        var recovery = new ShareTakeover(_life, _nodes, Self, failover, metrics, _ => _wals);
        var waiting = await _nodes.GetWaitingWalsAsync(default);
        await new StartRecovery(recovery, new AcceptedLosses(_life, _nodes, Self, [])).RunAsync(waiting, triesAgain: false, default);
    }

    /// <summary>Opens all partitions that it leads.</summary>
    public async Task OpenAsync()
    {
        var descriptor = _wals.Describe(Self.Node, Self.Epoch, []);
        await _nodes.RegisterWalAsync(Self, descriptor, isAdditional: false, default);
        _wal = await _wals.CreateAsync(descriptor, default);
        Store = new StreamStore(
            _life, Options, new StreamsComponents(Self, new NodeWals(_wal), Cluster.Storage, new StreamRegistry(Cluster.Channel, Self), _buffers, _cache));
        _table = new PartitionTable(
            _life, Store, Cluster.Metadata, new BrokerIdentity(Self.Node, Self.Epoch, new ConfigResolver(Self.Node, new Dictionary<string, string>())));
        _table.Start();
        await WhenOpenAsync();
    }

    public async Task WhenOpenAsync()
    {
        foreach (var partition in _table!.Led())
        {
            while (partition.Phase != PartitionPhase.Open)
            {
                Invariant.Check(partition.Phase is PartitionPhase.Waiting or PartitionPhase.Opening);
                await Task.Delay(5);
            }
        }
    }

    /// <summary>A batch of an idempotent producer to each partition.</summary>
    public async Task ProduceAsync(int sequence)
    {
        foreach (var some in _table!.Led().Chunk(1_000))
        {
            await Task.WhenAll(some.Select(partition => ProduceAsync(partition, sequence)));
        }
    }

    /// <summary>Everything that was produced goes to objects, with the partitions' state.</summary>
    public async Task UploadAsync() =>
        await Store!.UploadAsync([.. Store.Streams.Select(stream => new UploadGoal(stream, stream.NextOffset))], default);

    /// <summary>As a process that is killed.</summary>
    public async ValueTask DisposeAsync()
    {
        _life.Stop();
        await Store!.DisposeAsync();
        await _cache.DisposeAsync();
        await _wal!.DisposeAsync();
        await _life.DisposeAsync();
        _buffers.Dispose();
    }

    private async Task ProduceAsync(Partition partition, int sequence)
    {
        var builder = new RecordBatchBuilder { ProducerId = 1_000 + partition.Id.Partition, ProducerEpoch = 0, BaseSequence = sequence };
        builder.Append(1_700_000_000_000, Encoding.UTF8.GetBytes("key"), new byte[100]);
        var bytes = builder.Build();
        var frame = _buffers.Rent(bytes.Length);
        bytes.CopyTo(frame.GetSpan());
        var batch = new ProducedBatch(frame.Memory, frame, 1, 1_700_000_000_000, builder.ProducerId, 0, sequence, StampsAppendTime: false);
        var pending = await partition.AppendAsync(batch, fromReserve: false, default);
        frame.Release();
        await pending.Durable;
    }
}
