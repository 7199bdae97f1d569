using Microsoft.AspNetCore.Connections;
using Millrace.Controller.Scaling;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Server.Composition;

/// <summary>What a node is made of and the simulator replaces. The node disposes none of it, and its incarnations share all but the WALs.</summary>
/// <param name="Storage">The object store: the cluster.</param>
/// <param name="Wals">What makes and takes over WALs for one incarnation, in whose surroundings these live, in the store as that incarnation asks it.</param>
/// <param name="Buffers">Memory for requests and for what is read.</param>
/// <param name="Transport">Where clients come from.</param>
/// <param name="PeerListeners">Where other nodes come from.</param>
/// <param name="Peers">The way to other nodes, by host and port.</param>
/// <param name="Process">What the process has taken of its machine by now.</param>
internal sealed record NodeComponents(
    IObjectStorage Storage,
    Func<NodeRuntime, IObjectStorage, WalProviders> Wals,
    BufferPool Buffers,
    IConnectionListenerFactory Transport,
    IConnectionListenerFactory PeerListeners,
    IConnectionFactory Peers,
    Func<ProcessUse> Process)
{
    /// <summary>Starts and stops brokers for the cluster; null where nobody does.</summary>
    public IScalerHook? ScalerHook { get; init; }
}
