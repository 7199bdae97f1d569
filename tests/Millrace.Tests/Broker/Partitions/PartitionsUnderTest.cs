using System.Collections.Immutable;
using Millrace.Broker.Errors;
using Millrace.Broker.Following;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Upload;
using Millrace.Tests.Streams;
using Millrace.Tests.Streams.Recovery;
using Xunit;

namespace Millrace.Tests.Broker.Partitions;

/// <summary>
/// The partitions of one broker over a stream store in memory, whose WAL a test can hold back, and a cluster's image that a test
/// writes. Restarting makes a new incarnation of the node over the same store.
/// </summary>
internal sealed class PartitionsUnderTest : IAsyncDisposable
{
    public static readonly NodeId Self = new(1);
    public static readonly NodeId Other = new(2);
    public static readonly ConfigResolver Configs = new(Self, new Dictionary<string, string>());
    private readonly StreamsOptions? _options;
    private readonly Func<IStreamStore, IStreamStore> _around;
    private int _incarnation = 1;
    private MetadataImage _image;

    private PartitionsUnderTest(StreamsOptions? options, IReadOnlyDictionary<string, string> settings, Func<IStreamStore, IStreamStore> around)
    {
        (_options, _around) = (options, around);
        Identity = new BrokerIdentity(Self, new NodeEpoch(1), new ConfigResolver(Self, settings));
        _image = MetadataImage.Empty with
        {
            Nodes = ImmutableSortedDictionary<NodeId, NodeImage>.Empty
                .Add(Self, new NodeImage(
                    Self, new NodeEpoch(1), new Guid(1, 0, 0, new byte[8]), [new NodeEndpoint(ListenerName.Plaintext, "self", 9092)], null, NodeState.Live))
                .Add(Other, new NodeImage(
                    Other,
                    new NodeEpoch(2),
                    new Guid(2, 0, 0, new byte[8]),
                    [new NodeEndpoint(ListenerName.Plaintext, "other", 9093), new NodeEndpoint(new ListenerName("EXTERNAL"), "outside", 19093)],
                    "rack",
                    NodeState.Live)),
        };
        Node = new TestNode(Registry, Storage, _options);
        Table = StartTable();
        Racks = new RackReads(Node.Runtime, Identity, Feed, Node.Store, Buffers, new NoPeers());
        Racks.Followed.Start();
    }

    public TestStorage Storage { get; } = new();

    public TestRegistry Registry { get; } = new();

    public BrokerIdentity Identity { get; }

    public TestNode Node { get; private set; }

    public MetadataFeed Feed { get; private set; } = new();

    public PartitionTable Table { get; private set; }

    public DataMetrics Metrics { get; } = new();

    /// <summary>Of the first incarnation. It reaches no other node.</summary>
    public RackReads Racks { get; }

    public NodeRuntime Runtime => Node.Runtime;

    public BufferPool Buffers => Node.Buffers;

    /// <param name="options">Of the store.</param>
    /// <param name="settings">Of the broker.</param>
    /// <param name="around">What stands between the partitions and their store.</param>
    public static PartitionsUnderTest Start(
        StreamsOptions? options = null, IReadOnlyDictionary<string, string>? settings = null, Func<IStreamStore, IStreamStore>? around = null) =>
        new(options, settings ?? new Dictionary<string, string>(), around ?? (store => store));

    /// <summary>Starts with topic "t" of one partition.</summary>
    public static async Task<PartitionsUnderTest> StartWithTopicAsync(StreamsOptions? options = null, IReadOnlyDictionary<string, string>? settings = null)
    {
        var broker = Start(options, settings);
        await broker.AddTopicAsync();
        return broker;
    }

    /// <summary>Creates a topic whose partitions this node leads.</summary>
    public async Task<TopicImage> AddTopicAsync(string name = "t", int partitions = 1, params (string Key, string Value)[] configs)
    {
        var topic = await MakeTopicAsync(name, partitions, configs);
        Publish(image => With(image, topic));
        return topic;
    }

    /// <summary>Creates a topic of which this node has not heard yet. It leads its partitions.</summary>
    public async Task<TopicImage> MakeTopicAsync(string name = "t", int partitions = 1, params (string Key, string Value)[] configs)
    {
        var images = ImmutableList<PartitionImage>.Empty;
        for (var i = 0; i < partitions; i++)
        {
            var stream = await Registry.CreateAsync(Node.Incarnation, default);
            images = images.Add(new PartitionImage(i, stream, Self, new StreamEpoch(_incarnation), [Self]));
        }

        return new TopicImage(
            new Guid(name.Sum(letter => letter), (short)name.Length, 7, new byte[8]),
            name,
            1,
            images,
            configs.ToImmutableSortedDictionary(config => config.Key, config => config.Value));
    }

    public void Publish(Func<MetadataImage, MetadataImage> change)
    {
        _image = change(_image) with { Version = _image.Version with { Index = _image.Version.Index + 1 } };
        Feed.Publish(_image);
    }

    public static MetadataImage With(MetadataImage image, TopicImage topic) => image with
    {
        Topics = image.Topics.SetItem(topic.Name, topic),
        TopicNames = image.TopicNames.SetItem(topic.Id, topic.Name),
    };

    public static MetadataImage Without(MetadataImage image, TopicImage topic) => image with
    {
        Topics = image.Topics.Remove(topic.Name),
        TopicNames = image.TopicNames.Remove(topic.Id),
    };

    public async Task<Partition> OpenAsync(string topic = "t", int partition = 0)
    {
        var found = Table.Find(topic, partition).Partition;
        Assert.NotNull(found);
        Assert.Equal(PartitionError.None, await found.WhenOpenAsync(default));
        return found;
    }

    /// <summary>Closes every partition in order, and opens them at a higher epoch in a new incarnation.</summary>
    public async Task RestartAsync()
    {
        await Table.CloseAsync(default);
        await Node.DisposeAsync();
        _incarnation++;
        Node = new TestNode(Registry, Storage, _options, _incarnation);
        Follow();
    }

    /// <summary>
    /// The broker stops dead; another incarnation fences and recovers its WAL, and leads its partitions at a higher epoch. What was
    /// not uploaded has no checkpoint.
    /// </summary>
    public async Task CrashAsync()
    {
        var (former, table) = (Node, Table);
        Registry.Fence(former.Incarnation);
        _incarnation++;
        Node = new TestNode(Registry, Storage, _options, _incarnation);
        await using (var wal = former.Wal.TakeOver())
        {
            var target = new UploadTarget(Node.Incarnation, Storage, Registry, Node.Buffers);
            await new ShareRecoverer(Node.Runtime, Node.Options, target).RecoverShareAsync(wal);
        }

        await table.CloseAsync(default);
        await former.DisposeAsync();
        Follow();
    }

    public async ValueTask DisposeAsync()
    {
        Node.Wal.Release();
        await Table.CloseAsync(default);
        await Racks.DisposeAsync();
        Node.Runtime.Stop();
        await Node.DisposeAsync();
        Metrics.Dispose();
    }

    /// <summary>The new incarnation hears that it leads every partition, at its epoch.</summary>
    private void Follow()
    {
        Feed = new MetadataFeed();
        Table = StartTable();
        Publish(image => image.Topics.Values.Aggregate(image, (next, topic) => With(next, topic with
        {
            Partitions = [.. topic.Partitions.Select(partition => partition with { Epoch = new StreamEpoch(_incarnation) })],
        })));
    }

    private PartitionTable StartTable()
    {
        var table = new PartitionTable(Node.Runtime, _around(Node.Store), Feed, Identity);
        table.Start();
        return table;
    }
}
