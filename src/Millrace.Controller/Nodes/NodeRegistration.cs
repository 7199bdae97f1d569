using System.Collections.Immutable;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Nodes;

/// <summary>What a process says of itself when it joins.</summary>
/// <param name="Incarnation">Drawn anew by each process; a call that is repeated with it has the same answer.</param>
/// <param name="Endpoints">Where it is reached, by listener, each at most once; the first is where other nodes reach it. At least one.</param>
/// <param name="Rack">As set by the operator, or null.</param>
/// <param name="WantedId">The id that the operator gave the node; null lets the cluster choose.</param>
/// <param name="Program">The program and its version, for people.</param>
public sealed record NodeRegistration(
    Guid Incarnation, ImmutableArray<NodeEndpoint> Endpoints, string? Rack, NodeId? WantedId = null, string? Program = null)
{
    /// <summary>Where other nodes reach it; null of one that is reached by none.</summary>
    public PeerAddress? Internal { get; init; }

    /// <summary>What it is called for good: who comes by the same name has the same id. Null of one that comes anew each time.</summary>
    public string? Name { get; init; }

    /// <summary>The devices from which it can take over WALs.</summary>
    public ImmutableArray<string> Devices { get; init; } = [];

    /// <summary>By what times it judges others when it is the controller; null of one that never is.</summary>
    public NodeTimes? Times { get; init; }
}
