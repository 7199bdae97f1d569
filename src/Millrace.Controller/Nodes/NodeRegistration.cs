using Millrace.Runtime.Ids;

namespace Millrace.Controller.Nodes;

/// <summary>What a process says of itself when it joins.</summary>
/// <param name="Incarnation">Drawn anew by each process; a call that is repeated with it has the same answer.</param>
/// <param name="Host">The name clients are told to connect to.</param>
/// <param name="Port">The port clients are told to connect to.</param>
/// <param name="Rack">As set by the operator, or null.</param>
/// <param name="WantedId">The id that the operator gave the node; null lets the cluster choose.</param>
public sealed record NodeRegistration(Guid Incarnation, string Host, int Port, string? Rack, NodeId? WantedId = null);
