using System.Collections.Immutable;
using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Image;

/// <summary>A node's newest incarnation.</summary>
/// <param name="Id">Stable over restarts.</param>
/// <param name="Epoch">Counts the incarnations of all nodes, so that it never repeats.</param>
/// <param name="Incarnation">Drawn by the process; makes registration repeatable.</param>
/// <param name="Endpoints">Where it is reached, by listener, each at most once; the first is where other nodes reach it. At least one.</param>
/// <param name="Rack">As set by the operator, or null.</param>
/// <param name="State">Whether the incarnation may still act.</param>
public sealed record NodeImage(NodeId Id, NodeEpoch Epoch, Guid Incarnation, ImmutableArray<NodeEndpoint> Endpoints, string? Rack, NodeState State)
{
    /// <summary>The program, with its version, as it says itself; null of one that did not.</summary>
    public string? Program { get; init; }

    /// <summary>Where other nodes reach it; null of one that is reached by none.</summary>
    public PeerAddress? Internal { get; init; }

    /// <summary>What it is called for good; null of one that has its id from its operator alone.</summary>
    public string? Name { get; init; }

    /// <summary>Null of one that did not say.</summary>
    public NodeTimes? Times { get; init; }

    /// <summary>The devices from which it can take over WALs, by the names that they have in WALs' places.</summary>
    public ImmutableArray<string> Devices { get; init; } = [];

    /// <summary>It is about to stop, and hands over what it leads.</summary>
    public bool IsLeaving { get; init; }

    public bool IsLive => State == NodeState.Live;

    /// <summary>Where clients of a listener reach it; null if they do not.</summary>
    public NodeEndpoint? EndpointOf(ListenerName listener)
    {
        foreach (var endpoint in Endpoints)
        {
            if (endpoint.Listener == listener)
            {
                return endpoint;
            }
        }

        return null;
    }

    public NodeRecord ToRecord() =>
        new()
        {
            NodeId = Id.Value,
            NodeEpoch = Epoch.Value,
            IncarnationId = Incarnation,
            Endpoints =
            [
                .. Endpoints.Select(endpoint => new NodeRecord.Endpoint
                {
                    Listener = endpoint.Listener.Value,
                    Host = endpoint.Host,
                    Port = endpoint.Port,
                }),
            ],
            Rack = Rack,
            State = (sbyte)State,
            Program = Program,
            InternalHost = Internal?.Host,
            InternalPort = Internal?.Port ?? -1,
            Name = Name,
            LeaseMs = (int)(Times?.Lease.TotalMilliseconds ?? 0),
            FenceMs = (int)(Times?.Fence.TotalMilliseconds ?? 0),
            IsLeaving = IsLeaving,
            Devices = [.. Devices],
        };
}
