using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Loads;

/// <summary>What the live nodes have to do, as each has told this controller last. No part of the metadata: the next controller is told anew.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="time">For how old each is.</param>
/// <param name="metadata">Says which incarnations live.</param>
public sealed class LoadTable(TimeProvider time, IMetadataFeed metadata)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, (NodeEpoch Epoch, NodeLoad Load, long At)> _told = [];

    /// <summary>A node tells of its load. It was found to live.</summary>
    public void Hear(NodeIncarnation node, NodeLoad load)
    {
        lock (_lock)
        {
            _told[node.Node] = (node.Epoch, load, time.GetTimestamp());
            Forget_NeedsLock(metadata.Image);
        }
    }

    /// <summary>The newest of each node that lives, but of those that have told nothing for <see cref="NodeLoad.FreshFor"/>.</summary>
    public IReadOnlyDictionary<NodeId, NodeLoad> Fresh()
    {
        var image = metadata.Image;
        var now = time.GetTimestamp();
        lock (_lock)
        {
            Forget_NeedsLock(image);
            return _told.Where(told => time.GetElapsedTime(told.Value.At, now) <= NodeLoad.FreshFor)
                .OrderBy(told => told.Key)
                .ToDictionary(told => told.Key, told => told.Value.Load);
        }
    }

    /// <summary>There are never more than the cluster has nodes.</summary>
    private void Forget_NeedsLock(MetadataImage image)
    {
        foreach (var (node, told) in _told)
        {
            if (!(image.Nodes.TryGetValue(node, out var known) && known.IsLive && known.Epoch == told.Epoch))
            {
                // A dictionary may be removed from while it is gone through.
                _told.Remove(node);
            }
        }
    }
}
