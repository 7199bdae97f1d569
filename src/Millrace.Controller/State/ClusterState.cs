using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>Everything the metadata log says, as of one of its entries: the cluster image and the streams. Immutable.</summary>
internal sealed record ClusterState(MetadataImage Cluster, StreamImage Streams)
{
    public static ClusterState Empty { get; } = new(MetadataImage.Empty, StreamImage.Empty);

    /// <summary>The state after one record of an entry; <see cref="EndEntry"/> follows the last.</summary>
    public ClusterState Apply(IRecord record) => new(Cluster.Apply(record), Streams.Apply(record));

    /// <summary>Notes the entry's place, if it changed the cluster image: that is the image's version.</summary>
    public ClusterState EndEntry(ClusterState before, LogPlace place) =>
        ReferenceEquals(Cluster, before.Cluster) ? this : this with { Cluster = Cluster with { Version = new MetadataVersion(place.Term, place.Index) } };

    public bool IsLive(NodeIncarnation incarnation) =>
        Cluster.Nodes.TryGetValue(incarnation.Node, out var node) && node.Epoch == incarnation.Epoch && node.State == NodeState.Live;

    /// <summary>Refuses an incarnation that is not the newest of its node, or is not live any more.</summary>
    public void RequireLive(NodeIncarnation incarnation)
    {
        if (!IsLive(incarnation))
        {
            throw new StreamException(
                StreamError.Fenced, $"Node {incarnation.Node}, epoch {incarnation.Epoch}, is fenced: a newer incarnation has taken its place, or it has left");
        }
    }

    /// <summary>Whether a stream that waits for a WAL is in a node's share of it. One of no topic is in everybody's.</summary>
    public bool IsPlannedTo(StreamState stream, NodeId node) =>
        stream.TopicId == Guid.Empty
        || (Cluster.FindPartition(stream.TopicId, stream.Partition) is { Leader: null } partition && partition.PlannedTo == node);

    /// <summary>Applies a whole entry.</summary>
    /// <param name="entry">Its records.</param>
    /// <param name="place">Its place.</param>
    /// <param name="touched">Hears which topics it changes.</param>
    public ClusterState Apply(IReadOnlyList<IRecord> entry, LogPlace place, TouchedTopics touched)
    {
        var state = this;
        foreach (var record in entry)
        {
            var before = state.Cluster;
            state = state.Apply(record);
            touched.Add(record, before, state.Cluster);
        }

        return state.EndEntry(this, place);
    }

    /// <summary>Applies of a whole entry what it says of the cluster image, and leaves the streams.</summary>
    /// <inheritdoc cref="Apply(IReadOnlyList{IRecord}, LogPlace, TouchedTopics)"/>
    public ClusterState ApplyToCluster(IReadOnlyList<IRecord> entry, LogPlace place, TouchedTopics touched)
    {
        var cluster = Cluster;
        foreach (var record in entry)
        {
            var before = cluster;
            cluster = cluster.Apply(record);
            touched.Add(record, before, cluster);
        }

        return (this with { Cluster = cluster }).EndEntry(this, place);
    }

    /// <summary>Whether a failure to apply says that records do not fit the state before them: no program of this format wrote them there.</summary>
    public static bool IsContradiction(Exception failure) =>
        failure is InvariantViolationException or KeyNotFoundException or ArgumentException or OverflowException;

    /// <summary>Records that make this state out of nothing (<see cref="ClusterStateBuilder"/>): of the cluster half, then of the other.</summary>
    public IEnumerable<IRecord> ToRecords() => ClusterRecords().Concat(Streams.ToRecords());

    /// <summary>The cluster half of <see cref="ToRecords"/>. The counters come last, since the others move them.</summary>
    public IEnumerable<IRecord> ClusterRecords() =>
        Cluster.ToRecords().Append(new CountersRecord
        {
            VersionTerm = Cluster.Version.Term,
            VersionIndex = Cluster.Version.Index,
            NextNodeId = Cluster.NextNodeId,
            NextNodeEpoch = Cluster.NextNodeEpoch,
            NextProducerId = Cluster.NextProducerId,
            NextStreamId = Streams.NextStreamId,
            NextObjectId = Streams.NextObjectId,
        });
}
