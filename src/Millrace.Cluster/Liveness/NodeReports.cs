using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;

namespace Millrace.Cluster.Liveness;

/// <summary>What a node says of itself in its heartbeats. Outlives its incarnations. Threading: any thread.</summary>
/// <param name="feed">The cluster as the node knows it.</param>
internal sealed class NodeReports(MetadataFeed feed)
{
    private volatile ReadLease? _lease;
    private volatile Func<TimeSpan>? _stalled;
    private volatile Func<NodeLoad?>? _load;

    /// <summary>Of the incarnation that lives in this process; null while none is registered.</summary>
    public ReadLease? Lease
    {
        get => _lease;
        set
        {
            _lease?.GiveUp();
            (_stalled, _load, _lease) = (null, null, value);
        }
    }

    /// <summary>The newest term of the metadata log that the node knows of.</summary>
    public long Term => feed.Image.Version.Term;

    /// <summary>How long the incarnation has waited for the store: with a WAL append, or with anything that it recovers, opens or uploads.</summary>
    public TimeSpan Stalled => _stalled?.Invoke() ?? TimeSpan.Zero;

    /// <summary>What the incarnation has had to do over its last window; null while that is not known.</summary>
    public NodeLoad? Load => _load?.Invoke();

    /// <summary>From now on it is known how long the incarnation waits.</summary>
    public void Watch(Func<TimeSpan> stalled) => _stalled = stalled;

    /// <summary>From now on it is known what the incarnation has to do.</summary>
    public void Watch(Func<NodeLoad?> load) => _load = load;
}
