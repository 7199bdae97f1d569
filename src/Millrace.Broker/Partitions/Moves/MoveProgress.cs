using Millrace.Metadata;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>A partition's way to another node, as this one knows it. Times are timestamps of the node's clock; sizes are bytes of payload.</summary>
/// <param name="Id">The partition.</param>
/// <param name="LeaderEpoch">At which it is, or was, led by the one that hands it over.</param>
/// <param name="From">That one.</param>
/// <param name="To">Who leads it next.</param>
/// <param name="Phase">How far it is.</param>
/// <param name="Since">When this node heard of it.</param>
internal sealed record MoveProgress(TopicIdPartition Id, int LeaderEpoch, NodeId From, NodeId To, MovePhase Phase, long Since)
{
    /// <summary>What no object holds yet; 0 where that is not known here, or the move has ended.</summary>
    public long BytesLeft { get; init; }

    /// <summary>What was uploaded because of it, before the stop and in it.</summary>
    public long BytesUploaded { get; init; }

    /// <summary>When the partition stopped; null if it has not.</summary>
    public long? StoppedAt { get; init; }

    /// <summary>When the move ended, and with it the stop; null if it has not.</summary>
    public long? EndedAt { get; init; }
}
