using Millrace.Metadata.Image;

namespace Millrace.Controller.Balancing;

/// <summary>What is on its way, by a failover or a move: while that changes, nothing that is known of loads is as it will be.</summary>
/// <remarks>A plan that does not end, such as one for a broker that is away with its WAL, must not keep the whole cluster as it is.</remarks>
internal sealed class PlansUnderWay
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private HashSet<(Guid Topic, int Partition)> _plans = [];
    private bool _hasFailover;
    private TimeSpan _since;

    /// <summary>Looks at the newest image.</summary>
    /// <param name="image">The cluster.</param>
    /// <param name="now">By the clock of the planner.</param>
    public void Observe(MetadataImage image, TimeSpan now)
    {
        var plans = new HashSet<(Guid Topic, int Partition)>();
        _hasFailover = false;
        foreach (var topic in image.Topics.Values)
        {
            foreach (var partition in topic.Partitions)
            {
                if (partition.PlannedTo is { } next && image.IsLive(next))
                {
                    plans.Add((topic.Id, partition.Index));
                    _hasFailover |= partition.Leader is null;
                }
            }
        }

        if (!plans.SetEquals(_plans))
        {
            (_plans, _since) = (plans, now);
        }
    }

    /// <summary>Why nothing should be judged now; null where nothing is under way, or what is has not changed for minutes.</summary>
    public string? WhyNot(TimeSpan now) =>
        _plans.Count == 0 || now - _since >= Patience ? null : _hasFailover ? "A failover is under way." : "Moves are under way.";
}
