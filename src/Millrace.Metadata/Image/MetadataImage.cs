using System.Buffers.Text;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Image;

/// <summary>
/// The cluster as of one entry of the metadata log: nodes, topics, partitions, configs. Every broker holds the newest one
/// it knows. Streams and objects are not in it: they stay with the controller.
/// </summary>
/// <remarks>Immutable, so any thread may keep and read one for as long as it likes; a change makes a new one that shares most of it.</remarks>
public sealed partial record MetadataImage
{
    public static MetadataImage Empty { get; } = new();

    /// <summary>The place of the last entry that changed it; rises with each change.</summary>
    public MetadataVersion Version { get; init; }

    /// <summary>Drawn when the cluster was formed; zero before.</summary>
    public Guid ClusterUuid { get; init; }

    /// <summary>The id that clients see: 22 characters.</summary>
    public string ClusterId => Base64Url.EncodeToString(ClusterUuid.ToByteArray(bigEndian: true));

    /// <summary>Gates record types: none of a higher level is written before every node understands it.</summary>
    public short FeatureLevel { get; init; }

    /// <summary>The node of the newest controller that has registered as one, or null before any has.</summary>
    public NodeId? Controller { get; init; }

    /// <summary>The newest incarnation of every node that ever registered and was not removed.</summary>
    public ImmutableSortedDictionary<NodeId, NodeImage> Nodes { get; init; } = ImmutableSortedDictionary<NodeId, NodeImage>.Empty;

    /// <summary>The WALs that may hold what no object holds, and those that are retired and may still take space.</summary>
    public ImmutableSortedDictionary<Guid, WalImage> Wals { get; init; } = ImmutableSortedDictionary<Guid, WalImage>.Empty;

    /// <summary>By name, in ordinal order.</summary>
    public ImmutableSortedDictionary<string, TopicImage> Topics { get; init; } =
        ImmutableSortedDictionary.Create<string, TopicImage>(StringComparer.Ordinal);

    /// <summary>What was set on brokers at run time, by Kafka's names: for all under <see cref="AllBrokers"/>, else by node.</summary>
    public ImmutableSortedDictionary<NodeId, ImmutableSortedDictionary<string, string>> BrokerConfigs { get; init; } =
        ImmutableSortedDictionary<NodeId, ImmutableSortedDictionary<string, string>>.Empty;

    /// <summary>The key in <see cref="BrokerConfigs"/> that stands for the cluster-wide default.</summary>
    public static NodeId AllBrokers => new(-1);

    public int NextNodeId { get; init; }

    public long NextNodeEpoch { get; init; }

    public long NextProducerId { get; init; }

    internal ImmutableSortedDictionary<Guid, string> TopicNames { get; init; } = ImmutableSortedDictionary<Guid, string>.Empty;

    public IEnumerable<NodeImage> LiveNodes => Nodes.Values.Where(node => node.IsLive);

    public bool TryGetTopic(string name, [NotNullWhen(true)] out TopicImage? topic) => Topics.TryGetValue(name, out topic);

    public bool TryGetTopic(Guid id, [NotNullWhen(true)] out TopicImage? topic)
    {
        topic = null;
        return TopicNames.TryGetValue(id, out var name) && Topics.TryGetValue(name, out topic);
    }

    /// <summary>The name of the topic with an id, or null.</summary>
    public string? NameOf(Guid topic) => TopicNames.GetValueOrDefault(topic);

    /// <summary>A partition of the topic with an id, or null.</summary>
    public PartitionImage? FindPartition(Guid topic, int index) => TryGetTopic(topic, out var found) ? found.FindPartition(index) : null;

    public bool IsLive(NodeId node) => Nodes.TryGetValue(node, out var found) && found.IsLive;

    /// <summary>
    /// Which WAL of an incarnation takes a stream that it opens now: the additional one of the kind that the topic asks for; null: its default.
    /// </summary>
    /// <param name="node">The incarnation's node.</param>
    /// <param name="epoch">The incarnation.</param>
    /// <param name="wanted">The kind that the topic asks for; null where it asks for none.</param>
    public byte? ChooseWal(NodeId node, NodeEpoch epoch, byte? wanted) =>
        WalsOf(node, epoch).Any(wal => wal.IsAdditional && wal.Kind == wanted) ? wanted : null;

    /// <summary>
    /// Those that live and have no WAL of a kind. One whose default is not known yet, which comes last, is about to start, and not among them.
    /// </summary>
    public IEnumerable<NodeImage> LiveNodesWithout(byte kind)
    {
        foreach (var node in LiveNodes)
        {
            WalImage[] wals = [.. WalsOf(node.Id, node.Epoch)];
            if (Array.Exists(wals, wal => !wal.IsAdditional) && !Array.Exists(wals, wal => wal.Kind == kind))
            {
                yield return node;
            }
        }
    }

    /// <summary>The WALs that an incarnation has, or had.</summary>
    public IEnumerable<WalImage> WalsOf(NodeId node, NodeEpoch epoch) => Wals.Values.Where(wal => wal.Node == node && wal.Epoch == epoch);

    /// <summary>Where clients of a listener reach a node; null if they do not, or it is not alive.</summary>
    public NodeEndpoint? LiveEndpoint(NodeId node, ListenerName listener) =>
        Nodes.TryGetValue(node, out var found) && found.IsLive ? found.EndpointOf(listener) : null;

    /// <summary>
    /// The replicas as clients are told: those on nodes that exist, alive or not, and the leader. Places that were asked for and
    /// whose nodes have not come yet are no replicas: nothing is less safe without them (ADR 3).
    /// </summary>
    public IReadOnlyList<NodeId> Replicas(PartitionImage partition) => WithLeader(partition, Nodes.ContainsKey);

    /// <summary>The replicas on live nodes, as the in-sync replicas of Kafka's messages; the leader is always among them.</summary>
    public IReadOnlyList<NodeId> InSyncReplicas(PartitionImage partition) => WithLeader(partition, IsLive);

    /// <summary>The replicas on nodes that exist and are not alive.</summary>
    public IReadOnlyList<NodeId> OfflineReplicas(PartitionImage partition) =>
        [.. partition.Replicas.Where(replica => Nodes.ContainsKey(replica) && !IsLive(replica))];

    private static List<NodeId> WithLeader(PartitionImage partition, Func<NodeId, bool> isMeant)
    {
        var replicas = new List<NodeId>(partition.Replicas.Length);
        foreach (var replica in partition.Replicas)
        {
            if (isMeant(replica))
            {
                replicas.Add(replica);
            }
        }

        if (partition.Leader is { } leader && !replicas.Contains(leader))
        {
            replicas.Insert(0, leader);
        }

        return replicas;
    }
}
