using Millrace.Broker.Partitions;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Apis.Data;

/// <summary>Who leads a partition, for a client that came to the wrong node or with an old epoch (KIP-951): it need not ask for metadata.</summary>
internal static class LeaderHint
{
    /// <summary>The leader to tell of with an error, if the error is about leadership and the leader is known and alive.</summary>
    public static (NodeImage Node, int LeaderEpoch)? For(PartitionError error, PartitionLookup lookup, MetadataImage image) =>
        error is PartitionError.NotLeader or PartitionError.FencedLeaderEpoch
        && lookup.Known is { Leader: { } leader } known
        && image.Nodes.TryGetValue(leader, out var node)
        && node.IsLive
            ? (node, known.LeaderEpoch)
            : null;
}
