using System.Collections.Immutable;
using System.Globalization;
using Millrace.Controller.Streams;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Nodes;

/// <summary>The life of nodes, as decisions on a state: registration, fencing, leaving.</summary>
internal static class NodeOperations
{
    // Of what a node that leaves has to close first: some tens of kilobytes.
    private const int MostToClose = 1_000;

    /// <summary>
    /// Registers an incarnation. A node that comes again, by its id or by its name, goes on as what it was, and its former incarnation is fenced in the
    /// same entry if it is not yet: the newcomer has made sure that nobody answers there any more.
    /// </summary>
    /// <exception cref="RegistrationException">The id that was asked for cannot be had, or its times do not fit those of a node that lives.</exception>
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
        RequireFittingTimes(entry.Cluster, registration, former);
        if (former is { IsLive: true })
        {
            Shut(entry, new NodeIncarnation(former.Id, former.Epoch));
        }

        var id = former?.Id ?? registration.WantedId ?? new NodeId(entry.Cluster.NextNodeId);
        var epoch = new NodeEpoch(entry.Cluster.NextNodeEpoch);
        var image = new NodeImage(id, epoch, registration.Incarnation, registration.Endpoints, registration.Rack, NodeState.Live)
        {
            Program = registration.Program,
            Internal = registration.Internal,
            Name = registration.Name,
            Times = registration.Times,
            Devices = registration.Devices,
        };
        entry.Add(image.ToRecord());

        // The newcomer is one of those who come after its former self; and the only one, where nobody else lives.
        Settle(entry);
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

    /// <summary>A node reaches other devices than before: what waits for WALs that nobody could bring goes to it.</summary>
    public static void ReportDevices(PendingEntry entry, NodeIncarnation node, ImmutableArray<string> devices)
    {
        entry.RequireLive(node);
        var known = entry.Cluster.Nodes[node.Node];
        if (!known.Devices.SequenceEqual(devices))
        {
            entry.Add((known with { Devices = devices }).ToRecord());
            Settle(entry);
        }
    }

    /// <summary>
    /// Shuts an incarnation out for good, and says in the same entry who comes after it: a plan that were only remembered would be lost with the controller.
    /// </summary>
    /// <returns>Who has got what; null if it is shut out already.</returns>
    public static SuccessionPlan? Fence(PendingEntry entry, NodeIncarnation incarnation)
    {
        if (!entry.IsLive(incarnation))
        {
            return null;
        }

        Shut(entry, incarnation);
        return Settle(entry);
    }

    /// <summary>An incarnation leaves in good order: all that is open in its name is closed, so its WALs hold nothing that no object holds.</summary>
    /// <returns>What is open in its name all the same, and where it ends, but not more than can be closed at once. Empty: it has left.</returns>
    public static IReadOnlyList<StreamClose> Stop(PendingEntry entry, NodeIncarnation node)
    {
        if (entry.Cluster.Nodes.TryGetValue(node.Node, out var found) && found.Epoch == node.Epoch && found.State == NodeState.Stopped)
        {
            return [];
        }

        entry.RequireLive(node);
        StreamClose[] open =
        [
            .. entry.Streams.OpenStreamsOf(node).Take(MostToClose).Select(id => entry.Streams.Streams[id])
                .Select(stream => new StreamClose(stream.Id, stream.OpenRange!.Value.Epoch, stream.CommittedEnd)),
        ];
        if (open.Length > 0)
        {
            return open;
        }

        entry.Add(new NodeStoppedRecord { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value });
        Settle(entry);
        return [];
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
            : throw new RegistrationException(
                $"node.id is {wanted}, and the node {named.Name} of this cluster has the id {named.Id}. "
                + $"Set node.id={named.Id}, or leave it out: an id stays for good. Or give this node another name (--name).");
    }

    /// <summary>Leases that one controller has granted must be over before the next one gives their holders up, whoever that is.</summary>
    private static void RequireFittingTimes(MetadataImage cluster, NodeRegistration registration, NodeImage? former)
    {
        foreach (var node in cluster.LiveNodes)
        {
            if (node.Id != former?.Id && registration.Times is { } own && node.Times is { } others && !own.Fits(others))
            {
                throw new RegistrationException(
                    $"millrace.lease.ms and millrace.fence.ms are {Milliseconds(own.Lease)} and {Milliseconds(own.Fence)} here, and "
                    + $"{Milliseconds(others.Lease)} and {Milliseconds(others.Fence)} at node {node.Id}: a node could answer reads when another one has its "
                    + "partitions already. Set them alike on all nodes. To make them longer, set the longer fence on all first, and then the lease; "
                    + "to make them shorter, the lease first.");
            }
        }
    }

    private static string Milliseconds(TimeSpan time) => time.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);

    /// <summary>What it opened before its default WAL was known is complete at once: it acknowledged nothing that is not committed.</summary>
    private static void Shut(PendingEntry entry, NodeIncarnation incarnation)
    {
        entry.Add(new NodeFencedRecord { NodeId = incarnation.Node.Value, NodeEpoch = incarnation.Epoch.Value });
        if (!entry.Cluster.WalsOf(incarnation.Node, incarnation.Epoch).Any(wal => !wal.IsAdditional))
        {
            foreach (var stream in entry.Streams.OpenStreamsIn(incarnation, wal: null))
            {
                StreamOperations.CloseWhereItEnds(entry, stream);
            }
        }
    }

    private static SuccessionPlan Settle(PendingEntry entry)
    {
        WalRetirement.RetireUnneeded(entry);
        var plan = Succession.Plan(entry);

        // What was on its way from a drained node to one that is gone has to go elsewhere.
        Evacuation.PlanDrained(entry);
        return plan;
    }
}
