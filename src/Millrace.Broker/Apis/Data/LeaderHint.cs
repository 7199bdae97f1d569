using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Apis.Data;

/// <summary>Who leads a partition, for a client that came to the wrong node or with an old epoch (KIP-951): it need not ask for metadata.</summary>
internal static class LeaderHint
{
    /// <summary>
    /// The leader to tell of with an error, if the error is about leadership and the leader is known, alive, and to be reached by the
    /// client's listener.
    /// </summary>
    public static (NodeImage Node, NodeEndpoint Endpoint, int LeaderEpoch)? For(
        PartitionError error, PartitionLookup lookup, MetadataImage image, ListenerName listener) =>
        error is PartitionError.NotLeader or PartitionError.FencedLeaderEpoch
        && lookup.Known is { Leader: { } leader } known
        && image.Nodes.TryGetValue(leader, out var node)
        && node.IsLive
        && node.EndpointOf(listener) is { } endpoint
            ? (node, endpoint, known.LeaderEpoch)
            : null;
}
