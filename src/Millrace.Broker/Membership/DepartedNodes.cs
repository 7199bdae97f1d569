using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Membership;

/// <summary>
/// Nodes that were live until a moment ago. Clients are told of them for a while longer, as nodes that lead nothing: librdkafka gives up what it knows of the
/// partitions of a broker that it is told of no more, in the answer that names their new leaders too, and asks for these again only a second later.
/// </summary>
/// <remarks>Threading: image changes come one at a time; asked by any thread.</remarks>
/// <param name="time">The node's.</param>
/// <param name="feed">Tells of the nodes.</param>
internal sealed class DepartedNodes(TimeProvider time, IMetadataFeed feed) : IDisposable
{
    // By then clients have found the new leaders.
    private static readonly TimeSpan ToldFor = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<NodeId, long> _departedAt = [];
    private IDisposable? _subscription;

    public void Start() => _subscription = feed.Subscribe(Apply);

    public void Dispose() => _subscription?.Dispose();

    /// <summary>The nodes that clients are told of: those that live, and those that did a moment ago.</summary>
    public IReadOnlyList<NodeImage> Told(MetadataImage image)
    {
        lock (_lock)
        {
            return [.. image.Nodes.Values.Where(node => node.IsLive || IsFresh_NeedsLock(node.Id))];
        }
    }

    private bool IsFresh_NeedsLock(NodeId node) => _departedAt.TryGetValue(node, out var at) && time.GetElapsedTime(at) < ToldFor;

    private void Apply(MetadataDelta delta)
    {
        if (!delta.NodesChanged)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var (id, node) in delta.After.Nodes)
            {
                if (node.IsLive)
                {
                    _departedAt.Remove(id);
                }
                else if (delta.Before.Nodes.TryGetValue(id, out var former) && former.IsLive)
                {
                    _departedAt[id] = time.GetTimestamp();
                }
            }
        }
    }
}
