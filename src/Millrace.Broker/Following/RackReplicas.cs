using System.Buffers.Binary;
using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Following;

/// <summary>
/// Which broker serves a rack's consumers of a partition that is led in another (KIP-392). Of several always the same one: what the leader tells goes to a rack
/// once.
/// </summary>
/// <remarks>
/// Consumers follow only to a broker among the replicas that they are told of. Brokers hold the same images and say the same of them; where one is behind, it
/// sends a consumer to the leader.
/// </remarks>
/// <param name="self">This broker, with its settings.</param>
/// <param name="feed">Tells the settings of the cluster.</param>
internal sealed class RackReplicas(BrokerIdentity self, IMetadataFeed feed)
{
    private const string Selector = "RackAwareReplicaSelector";

    // Not settable at run time, so it is looked up once.
    private readonly bool _isOn =
        self.Configs.Broker(feed.Image, BrokerConfigs.ReplicaSelectorClass).AsText().EndsWith(Selector, StringComparison.Ordinal);

    /// <summary>The broker that serves a rack; null where the leader does: it is of that rack, or nobody is, or none was asked for.</summary>
    /// <param name="image">The cluster.</param>
    /// <param name="topic">The partition's topic.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="rack">The consumer's; null where it is not known.</param>
    /// <param name="listener">By which consumers have to reach whoever serves them.</param>
    public NodeId? Choose(MetadataImage image, Guid topic, PartitionImage partition, string? rack, ListenerName listener)
    {
        if (!_isOn || rack is null || partition.Leader is not { } leader || !image.Nodes.TryGetValue(leader, out var leading) || leading.Rack == rack)
        {
            return null;
        }

        var (best, weight) = ((NodeId?)null, 0UL);
        foreach (var replica in partition.Replicas)
        {
            if (replica != leader && image.Nodes.TryGetValue(replica, out var node) && node.IsLive && node.Rack == rack && node.EndpointOf(listener) is not null
                && !BrokerDuties.IsDrained(image, replica) && WeightOf(topic, partition.Index, replica) is var other && (best is null || other > weight))
            {
                (best, weight) = (replica, other);
            }
        }

        return best;
    }

    /// <summary>Rendezvous hashing: who comes or goes changes nothing between the others.</summary>
    private static ulong WeightOf(Guid topic, int partition, NodeId node)
    {
        Span<byte> bytes = stackalloc byte[16];
        topic.TryWriteBytes(bytes);
        var hash = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])
            ^ ((ulong)(uint)partition << 32 | (uint)node.Value);

        // The finalizer of SplitMix64.
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }
}
