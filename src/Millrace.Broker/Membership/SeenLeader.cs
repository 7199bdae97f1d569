using Millrace.Metadata.Image;
using Millrace.Protocol;

namespace Millrace.Broker.Membership;

/// <summary>A partition's leader as a client sees it, who can reach those only that have an address on the client's own listener.</summary>
internal static class SeenLeader
{
    private const int None = -1;

    /// <summary>The leader's id; -1, and why, if there is none or none that the client can reach.</summary>
    public static (int LeaderId, ErrorCode Error) Of(MetadataImage image, PartitionImage partition, ListenerName listener) =>
        partition.Leader is not { } leader || !image.Nodes.TryGetValue(leader, out var node) ? (None, ErrorCode.LeaderNotAvailable)
        : node.EndpointOf(listener) is null ? (None, ErrorCode.ListenerNotFound)
        : (leader.Value, ErrorCode.None);
}
