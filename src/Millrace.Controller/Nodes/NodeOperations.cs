using Millrace.Controller.State;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Nodes;

/// <summary>The life of nodes, as decisions on a state: registration, fencing, recovery of WALs, leaving.</summary>
internal static class NodeOperations
{
    /// <summary>
    /// Registers an incarnation. A node that comes again, by its id or by its name, goes on as what it was, and its former incarnation is fenced in the
    /// same entry if it is not yet: the newcomer has made sure that nobody answers there any more.
    /// </summary>
    /// <exception cref="NodeIdException">The id that was asked for cannot be had.</exception>
    public static NodeIncarnation Register(PendingEntry entry, NodeRegistration registration)
    {
        foreach (var node in entry.Cluster.Nodes.Values)
        {
            if (node.Incarnation == registration.Incarnation)
            {
                var known = new NodeIncarnation(node.Id, node.Epoch);
                entry.RequireLive(known);
                return known;
            }
        }

        var former = Former(entry.Cluster, registration);
        if (former is { IsLive: true })
        {
            Fence(entry, new NodeIncarnation(former.Id, former.Epoch));
        }

        var id = former?.Id ?? registration.WantedId ?? new NodeId(entry.Cluster.NextNodeId);
        var epoch = new NodeEpoch(entry.Cluster.NextNodeEpoch);
        var image = new NodeImage(id, epoch, registration.Incarnation, registration.Endpoints, registration.Rack, NodeState.Live)
        {
            Program = registration.Program,
            Internal = registration.Internal,
            Name = registration.Name,
        };
        entry.Add(image.ToRecord());
        return new NodeIncarnation(id, epoch);
    }

    /// <summary>Says which node the controller lives at, once that one has registered.</summary>
    public static void NameController(PendingEntry entry, ControllerSeal? owner)
    {
        if (owner is not null
            && entry.Cluster.LiveNodes.FirstOrDefault(node => node.Internal is { } address && address == new PeerAddress(owner.Host, owner.Port)) is { } node
            && entry.Cluster.Controller != node.Id)
        {
            entry.Add(new ControllerRecord { NodeId = node.Id.Value });
        }
    }

    /// <summary>
    /// Shuts an incarnation out for good. What it opened without ever having a WAL is complete at once: it acknowledged nothing
    /// that is not committed.
    /// </summary>
    public static void Fence(PendingEntry entry, NodeIncarnation incarnation)
    {
        if (!entry.IsLive(incarnation))
        {
            return;
        }

        entry.Add(new NodeFencedRecord { NodeId = incarnation.Node.Value, NodeEpoch = incarnation.Epoch.Value });
        if (!WalsInNeed(entry, incarnation).Any())
        {
            foreach (var stream in entry.Streams.OpenStreamsOf(incarnation))
            {
                Close(entry, stream);
            }
        }

        PartitionAssignment.AssignAll(entry);
    }

    /// <summary>Makes a WAL known before its first append.</summary>
    public static void RegisterWal(PendingEntry entry, NodeIncarnation node, WalDescriptor wal)
    {
        entry.RequireLive(node);
        if (wal.Node != node.Node || wal.Epoch != node.Epoch)
        {
            throw new ArgumentException($"WAL {wal.Id} is described as node {wal.Node}'s, epoch {wal.Epoch}", nameof(wal));
        }

        if (!entry.Cluster.Wals.ContainsKey(wal.Id))
        {
            entry.Add(new WalImage(wal.Id, (byte)wal.Kind, wal.Location, wal.Node, wal.Epoch, WalState.Open).ToRecord());
        }
    }

    /// <summary>An incarnation leaves in good order: all it opened is closed, so its WALs hold nothing that no object holds.</summary>
    public static void Stop(PendingEntry entry, NodeIncarnation node)
    {
        if (entry.Cluster.Nodes.TryGetValue(node.Node, out var found) && found.Epoch == node.Epoch && found.State == NodeState.Stopped)
        {
            return;
        }

        entry.RequireLive(node);
        var open = entry.Streams.OpenStreamsOf(node);
        if (open.Count > 0)
        {
            throw new StreamException(StreamError.Incomplete, $"Node {node.Node} cannot leave: {open.Count} of its streams are still open");
        }

        entry.Add(new NodeStoppedRecord { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value });
        PartitionAssignment.AssignAll(entry);
    }

    /// <summary>The WALs that wait for recovery, by the age of their incarnation.</summary>
    public static IReadOnlyList<WaitingWal> Waiting(ClusterState state) =>
        [
            .. state.Cluster.Wals.Values
                .Where(wal => wal.State == WalState.AwaitsRecovery)
                .OrderBy(wal => wal.Epoch)
                .Select(wal => new WaitingWal(Describe(wal), WaitingFor(state, new NodeIncarnation(wal.Node, wal.Epoch)))),
        ];

    /// <summary>
    /// All that a fenced incarnation's WAL held is committed, as far as it can be: the ranges that are whole are complete. While some are
    /// damaged the WAL is kept, for them and for whoever looks into it.
    /// </summary>
    /// <returns>The streams whose ranges stay open because they are damaged.</returns>
    public static IReadOnlyList<StreamId> CompleteRecovery(PendingEntry entry, NodeIncarnation node, Guid walId)
    {
        entry.RequireLive(node);
        if (FindWaiting(entry, walId) is not { } wal)
        {
            return [];
        }

        var owner = new NodeIncarnation(wal.Node, wal.Epoch);
        StreamId[] damaged = [.. entry.Streams.OpenStreamsOf(owner).Where(stream => entry.Streams.Streams[stream].IsDamaged)];
        if (damaged.Length == 0)
        {
            entry.Add((wal with { State = WalState.Retired }).ToRecord());
        }

        if (WalsInNeed(entry, owner).All(id => id == walId))
        {
            foreach (var stream in entry.Streams.OpenStreamsOf(owner).Except(damaged))
            {
                Close(entry, stream);
            }
        }

        PartitionAssignment.AssignAll(entry);
        return damaged;
    }

    /// <summary>The space of retired WALs was given back, or cannot be found: nobody needs to know of them any more.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="node">A live incarnation; or the one that left, for its own.</param>
    /// <param name="walIds">WALs that are not retired stay.</param>
    public static void ForgetWals(PendingEntry entry, NodeIncarnation node, IReadOnlyCollection<Guid> walIds)
    {
        foreach (var id in walIds)
        {
            if (entry.Cluster.Wals.TryGetValue(id, out var wal) && wal.State == WalState.Retired)
            {
                if (node != new NodeIncarnation(wal.Node, wal.Epoch))
                {
                    entry.RequireLive(node);
                }

                entry.Add(new WalRemovedRecord { WalId = id });
            }
        }
    }

    /// <summary>The WALs whose space is to be given back.</summary>
    public static IReadOnlyList<WalDescriptor> Retired(ClusterState state) =>
        [.. state.Cluster.Wals.Values.Where(wal => wal.State == WalState.Retired).OrderBy(wal => wal.Epoch).Select(Describe)];

    /// <summary>
    /// Gives up what a lost WAL may hold: of the streams named, or of all (null), which also ends the wait for the WAL itself.
    /// Records that were acknowledged may be lost, and their offsets are given out again.
    /// </summary>
    /// <returns>The streams that were given up.</returns>
    public static IReadOnlyList<WaitingStream> AcceptLoss(PendingEntry entry, Guid walId, IReadOnlySet<StreamId>? streams)
    {
        if (FindWaiting(entry, walId) is not { } wal)
        {
            return [];
        }

        var owner = new NodeIncarnation(wal.Node, wal.Epoch);
        var lost = WaitingFor(entry.State, owner).Where(waiting => streams is null || streams.Contains(waiting.Stream)).ToArray();
        foreach (var waiting in lost)
        {
            Close(entry, waiting.Stream);
        }

        if (streams is null || entry.Streams.OpenStreamsOf(owner).Count == 0)
        {
            entry.Add(new WalRemovedRecord { WalId = walId });
        }

        return lost;
    }

    /// <summary>The node that an incarnation goes on as; null if it is a new one.</summary>
    private static NodeImage? Former(MetadataImage cluster, NodeRegistration registration)
    {
        var named = registration.Name is { } name ? cluster.Nodes.Values.FirstOrDefault(node => node.Name == name) : null;
        if (registration.WantedId is not { } wanted)
        {
            return named;
        }

        return named is null || named.Id == wanted
            ? cluster.Nodes.GetValueOrDefault(wanted)
            : throw new NodeIdException(
                $"node.id is {wanted}, and the node {named.Name} of this cluster has the id {named.Id}. "
                + $"Set node.id={named.Id}, or leave it out: an id stays for good. Or give this node another name (--name).");
    }

    private static WalImage? FindWaiting(PendingEntry entry, Guid walId)
    {
        if (!entry.Cluster.Wals.TryGetValue(walId, out var wal) || wal.State == WalState.Retired)
        {
            // Recovered before, and the answer was lost.
            return null;
        }

        return wal.State == WalState.AwaitsRecovery
            ? wal
            : throw new StreamException(
                StreamError.Incomplete, $"WAL {walId} belongs to node {wal.Node}, epoch {wal.Epoch}, which is not fenced");
    }

    private static IEnumerable<Guid> WalsInNeed(PendingEntry entry, NodeIncarnation owner) =>
        entry.Cluster.Wals.Values
            .Where(wal => wal.Node == owner.Node && wal.Epoch == owner.Epoch && wal.State != WalState.Retired)
            .Select(wal => wal.Id);

    private static WalDescriptor Describe(WalImage wal) => new(wal.Id, (WalKind)wal.Kind, wal.Location, wal.Node, wal.Epoch);

    /// <summary>
    /// Ends a range where its commits end, or at the start offset if that lies higher: records below it were acknowledged and
    /// trimmed, and their offsets must not come back.
    /// </summary>
    private static void Close(PendingEntry entry, StreamId id)
    {
        var stream = entry.Streams.Streams[id];
        entry.Add(new StreamClosedRecord
        {
            StreamId = id.Value,
            Epoch = stream.OpenRange!.Value.Epoch.Value,
            EndOffset = Math.Max(stream.CommittedEnd, stream.StartOffset),
        });
    }

    private static WaitingStream[] WaitingFor(ClusterState state, NodeIncarnation owner) =>
        [
            .. state.Streams.OpenStreamsOf(owner)
                .Select(id => state.Streams.Streams[id])
                .Select(stream => new WaitingStream(
                    stream.Id, state.Cluster.TryGetTopic(stream.TopicId, out var topic) ? topic.Name : null, stream.Partition))
                .OrderBy(waiting => waiting.Topic, StringComparer.Ordinal)
                .ThenBy(waiting => waiting.Partition)
                .ThenBy(waiting => waiting.Stream),
        ];
}
