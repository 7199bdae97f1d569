using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Membership;

/// <summary>Who this broker is, and what its operator set.</summary>
/// <param name="Node">Its id, stable over restarts.</param>
/// <param name="Epoch">This incarnation.</param>
/// <param name="Configs">Resolves settings from topic, cluster, file and default.</param>
public sealed record BrokerIdentity(NodeId Node, NodeEpoch Epoch, ConfigResolver Configs)
{
    /// <summary>Whether this incarnation has been fenced, or another one has taken its place.</summary>
    public bool IsOver(MetadataImage image) =>
        image.Nodes.TryGetValue(Node, out var known) && (known.Epoch > Epoch || (known.Epoch == Epoch && known.State == NodeState.Fenced));
}
