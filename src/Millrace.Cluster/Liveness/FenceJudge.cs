using Millrace.Runtime.Ids;

namespace Millrace.Cluster.Liveness;

/// <summary>
/// Which silences are held against nodes, and which against the controller's own ears. Knows no clock but what it is told, and asks nobody.
/// </summary>
/// <param name="options">The sessions.</param>
internal sealed class FenceJudge(ClusterOptions options)
{
    /// <summary>Nodes that fall silent so close together have something in common: perhaps only who listens to them.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(500);

    /// <summary>For how long a node that was given up wrongly may be silent for longer.</summary>
    private static readonly TimeSpan Forbearance = TimeSpan.FromMinutes(10);

    private readonly List<TimeSpan> _fencedAt = [];
    private readonly Dictionary<NodeId, TimeSpan> _spared = [];

    /// <summary>How long such a node may be silent.</summary>
    public TimeSpan Forbearing => options.FenceTime * 2;

    /// <summary>Whom to give up now.</summary>
    /// <param name="now">By the clock of the sessions.</param>
    /// <param name="others">The other live nodes, each with its silence.</param>
    /// <returns>Each with the silence that it is given up for: nobody who has been heard since.</returns>
    public IReadOnlyList<(NodeId Node, TimeSpan Limit)> Judge(TimeSpan now, IReadOnlyList<(NodeId Node, TimeSpan Silence)> others)
    {
        _fencedAt.RemoveAll(at => now - at >= options.FenceTime);
        var fenced = new List<(NodeId, TimeSpan)>();
        foreach (var (node, silence) in others.OrderByDescending(other => other.Silence))
        {
            var limit = LimitOf(now, node);
            if (others.Any(other => other.Node != node && other.Silence >= options.ProbeTime && (other.Silence - silence).Duration() < Together))
            {
                limit += options.FenceTime;
            }

            // Of all that lived when the session began, this node included.
            var nodes = others.Count + 1 + _fencedAt.Count;
            if (silence >= limit && (_fencedAt.Count + fenced.Count + 1) * 2 <= nodes)
            {
                fenced.Add((node, limit));
            }
        }

        return fenced;
    }

    /// <summary>A node was given up for its silence.</summary>
    public void Fenced(TimeSpan now) => _fencedAt.Add(now);

    /// <summary>A node that was given up lives: its next incarnations get twice the time for a while.</summary>
    public void FencedWrongly(TimeSpan now, NodeId node) => _spared[node] = now + Forbearance;

    /// <summary>How long a node may be silent.</summary>
    private TimeSpan LimitOf(TimeSpan now, NodeId node) =>
        _spared.TryGetValue(node, out var until) && now < until ? Forbearing : options.FenceTime;
}
