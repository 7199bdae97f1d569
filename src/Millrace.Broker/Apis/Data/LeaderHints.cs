using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Apis.Data;

/// <summary>
/// Who leads partitions, for a client that came to the wrong node or with an old epoch (KIP-951): it need not ask for metadata. Of one answer,
/// which names each leader's address once.
/// </summary>
/// <remarks>A structure, since there is one for every request; most have nothing to tell.</remarks>
/// <param name="image">Says who leads what.</param>
/// <param name="listener">By which the client came, and can reach others.</param>
internal struct LeaderHints(MetadataImage image, ListenerName listener)
{
    private List<(NodeImage Node, NodeEndpoint Endpoint)>? _leaders;

    /// <summary>Those that the answer tells of.</summary>
    public readonly IReadOnlyList<(NodeImage Node, NodeEndpoint Endpoint)> Leaders => _leaders ?? [];

    /// <summary>
    /// The leader to tell of with a partition's error, if the error is about leadership and the leader is known, alive, and to be reached by the
    /// client's listener.
    /// </summary>
    public (int LeaderId, int LeaderEpoch)? Add(PartitionError error, PartitionLookup lookup)
    {
        if (error is not (PartitionError.NotLeader or PartitionError.FencedLeaderEpoch)
            || KnownNow(lookup) is not { Leader: { } leader } known

            // Nobody is sent back to the very leadership that has just refused it.
            || (error == PartitionError.NotLeader && known.LeaderEpoch == lookup.Partition?.LeaderEpoch)
            || !image.Nodes.TryGetValue(leader, out var node)
            || !node.IsLive
            || node.EndpointOf(listener) is not { } endpoint)
        {
            return null;
        }

        _leaders ??= [];
        if (!_leaders.Exists(told => told.Node.Id == leader))
        {
            _leaders.Add((node, endpoint));
        }

        return (leader.Value, known.LeaderEpoch);
    }

    /// <summary>A partition that was here may have gone to another leader while the request waited for just that.</summary>
    private readonly PartitionImage? KnownNow(PartitionLookup lookup) =>
        lookup.Partition is { Id: var id } ? image.FindPartition(id.TopicId, id.Partition) : lookup.Known;
}
