using System.Collections.Immutable;
using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Image;

/// <summary>A partition: its stream, who leads it, and the replicas that were asked for.</summary>
/// <param name="Index">Its number in the topic.</param>
/// <param name="Stream">The stream that is the partition; it never changes.</param>
/// <param name="Leader">The node that may open the stream at <see cref="Epoch"/>; null while nobody may.</param>
/// <param name="Epoch">Rises with every change of leader, and with every new incarnation of the same leader.</param>
/// <param name="Replicas">Virtual: places that were asked for, whether or not their nodes exist yet, and never a copy. At least one. Clients are told
/// <see cref="MetadataImage.Replicas"/>.</param>
public sealed record PartitionImage(
    int Index, StreamId Stream, NodeId? Leader, StreamEpoch Epoch, ImmutableArray<NodeId> Replicas)
{
    /// <summary>
    /// Who is to lead it next. While nobody leads it: who brings what the WAL in which its stream lies holds of it, and leads it then; the WAL is one of the
    /// incarnation's that led at <see cref="Epoch"/>; null while nobody lives who could. While somebody leads it: the live node that it moves to, to which its
    /// leader hands it over; null while it does not move.
    /// </summary>
    public NodeId? PlannedTo { get; init; }

    /// <summary>Up to where the node that it moves to has read it, where that node had to be waited for; 0 if it has not said so.</summary>
    public long WarmTo { get; init; }

    /// <summary>It is led, and on its way from its leader to another node.</summary>
    public bool Moves => Leader is not null && PlannedTo is not null;

    /// <summary>The epoch as Kafka's messages carry it.</summary>
    public int LeaderEpoch => checked((int)Epoch.Value);

    public PartitionRecord ToRecord(Guid topic) =>
        new()
        {
            TopicId = topic,
            Partition = Index,
            StreamId = Stream.Value,
            Leader = Leader?.Value ?? -1,
            LeaderEpoch = Epoch.Value,
            Replicas = [.. Replicas.Select(replica => replica.Value)],
            PlannedTo = PlannedTo?.Value ?? -1,
            WarmTo = WarmTo,
        };
}
