using System.Collections.Concurrent;
using Millrace.Metadata.Image;
using Millrace.Streams.Registry;

namespace Millrace.Cluster.Liveness;

/// <summary>The sessions of the live nodes but the controller's own, which lives as long as this does.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="metadata">Says which nodes are live.</param>
/// <param name="self">The controller's own node.</param>
/// <param name="clock">Whoever is seen for the first time has a whole session before it.</param>
internal sealed class SessionTable(IMetadataFeed metadata, PeerAddress self, SessionClock clock)
{
    private readonly ConcurrentDictionary<NodeIncarnation, NodeSession> _sessions = new();

    /// <summary>The controller's node is a member: the others miss its heartbeats where it had a controller before.</summary>
    public bool KnowsSelf => metadata.Image.LiveNodes.Any(node => node.Internal == self);

    public NodeSession Of(NodeIncarnation node) => _sessions.GetOrAdd(node, static (_, now) => new NodeSession(now), clock.Now);

    /// <summary>All that are live now; the sessions of others go.</summary>
    public List<(NodeImage Node, NodeSession Session)> Sweep()
    {
        var nodes = metadata.Image.LiveNodes.Where(node => node.Internal != self).ToList();
        foreach (var gone in _sessions.Keys.Where(known => !nodes.Exists(node => IncarnationOf(node) == known)))
        {
            _sessions.TryRemove(gone, out _);
        }

        return [.. nodes.Select(node => (node, Of(IncarnationOf(node))))];
    }

    /// <summary>A node is as one whose connection has just ended.</summary>
    public void Suspect(PeerAddress node)
    {
        foreach (var (_, session) in Sweep().Where(found => found.Node.Internal == node))
        {
            session.HasLostConnection = true;
        }
    }

    /// <summary>Gives all that are live now longer sessions than usual.</summary>
    public void Extend(TimeSpan longer)
    {
        foreach (var (node, _) in Sweep())
        {
            _sessions[IncarnationOf(node)] = new NodeSession(clock.Now + longer);
        }
    }

    private static NodeIncarnation IncarnationOf(NodeImage node) => new(node.Id, node.Epoch);
}
