using Microsoft.AspNetCore.Connections;
using Millrace.Controller.Endpoint;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Wal;

namespace Millrace.Server.Composition;

/// <summary>What a node is made of and the simulator replaces. The node disposes none of it.</summary>
/// <param name="Storage">The object store: the cluster.</param>
/// <param name="Wal">Makes this incarnation's WAL.</param>
/// <param name="FormerWals">Takes over WALs of a kind that former incarnations left; null for a kind that cannot be.</param>
/// <param name="Buffers">Memory for requests and for what is read.</param>
/// <param name="Transport">Where clients come from.</param>
/// <param name="Peers">Finds out whether another broker lives.</param>
internal sealed record NodeComponents(
    IObjectStorage Storage,
    IWalProvider Wal,
    Func<WalKind, IWalProvider?> FormerWals,
    BufferPool Buffers,
    IConnectionListenerFactory Transport,
    IPeerProbe Peers)
{
    /// <summary>How the controller in this process is asked: the messages as they are, unless the simulator takes them through their bytes.</summary>
    public Func<ControllerEndpoint, IControllerLink> Link { get; init; } = static endpoint => endpoint;
}
