using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Image;

/// <summary>A node's newest incarnation.</summary>
/// <param name="Id">Stable over restarts.</param>
/// <param name="Epoch">Counts the incarnations of all nodes, so that it never repeats.</param>
/// <param name="Incarnation">Drawn by the process; makes registration repeatable.</param>
/// <param name="Host">The name clients are told to connect to.</param>
/// <param name="Port">The port clients are told to connect to.</param>
/// <param name="Rack">As set by the operator, or null.</param>
/// <param name="State">Whether the incarnation may still act.</param>
public sealed record NodeImage(NodeId Id, NodeEpoch Epoch, Guid Incarnation, string Host, int Port, string? Rack, NodeState State)
{
    public bool IsLive => State == NodeState.Live;
}
