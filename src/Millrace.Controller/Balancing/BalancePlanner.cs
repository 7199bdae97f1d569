using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>
/// Says after each window which partitions others should lead. By its goals in their order (<see cref="BalanceGoal"/>): a node that has come is filled,
/// nobody's processors have too much to do, the highest load is lowered, numbers of partitions are evened.
/// </summary>
/// <remarks>
/// A function of what it was told so far: it looks at no clock and does nothing. What it is told was begun it takes for done, and then sees whole windows go
/// by before it judges what has become of it. Threading: one at a time.
/// </remarks>
internal sealed class BalancePlanner(BalanceRules rules)
{
    private const string NotYet = "It has not looked yet.";

    private readonly PlansUnderWay _underWay = new();
    private readonly LoadAverages _averages = new();
    private readonly Streaks _streaks = new();
    private readonly Dictionary<(Guid Topic, int Partition), TimeSpan> _moved = [];
    private readonly Queue<TimeSpan> _lately = [];
    private string? _waits = NotYet;
    private bool _hasLooked;

    /// <summary>By which it judges from the next look on.</summary>
    public BalanceRules Rules { get; set; } = rules;

    /// <summary>Takes in what one window has brought.</summary>
    /// <param name="image">The cluster.</param>
    /// <param name="loads">The newest of every node that has said so lately.</param>
    /// <param name="excluded">What is left alone.</param>
    /// <param name="now">By any clock that only rises.</param>
    public BalancePlan Plan(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, BalanceExclusions excluded, TimeSpan now)
    {
        _underWay.Observe(image, now);
        _waits = _underWay.WhyNot(now) ?? WhoIsSilent(image, loads, excluded);
        if (_waits is not null)
        {
            _streaks.Clear();
            return new BalancePlan([], _waits);
        }

        Forget(now);
        _averages.Add(image, loads);
        _hasLooked = true;
        var spread = LoadSpread.Of(image, loads, _averages, excluded, _moved.ContainsKey);
        foreach (var (goal, node, isSo) in Judge(spread))
        {
            _streaks.Observe(goal, node, isSo);
        }

        return new BalancePlan(Draft(spread, (goal, node) => _streaks.Of(goal, node) >= Rules.Windows, Rules.MovesPerMinute - _lately.Count));
    }

    /// <summary>What nodes get that have come within a window: they have nothing yet that anybody could have measured.</summary>
    public BalancePlan Welcome(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, BalanceExclusions excluded, TimeSpan now)
    {
        _underWay.Observe(image, now);
        return (_hasLooked ? _underWay.WhyNot(now) ?? WhoIsSilent(image, loads, excluded) : NotYet) is { } reason
            ? new BalancePlan([], reason)
            : new BalancePlan(Draft(LoadSpread.Of(image, loads, _averages, excluded, _moved.ContainsKey), static (_, _) => false, room: 0));
    }

    /// <summary>Moves that it has planned are under way.</summary>
    public void Begun(IReadOnlyList<BalanceMove> moves, TimeSpan now)
    {
        if (moves.Count > 0)
        {
            _streaks.Clear();
        }

        foreach (var move in moves)
        {
            _moved[(move.Topic, move.Partition)] = now;
            if (move.Goal != BalanceGoal.Fill)
            {
                _lately.Enqueue(now);
            }
        }
    }

    /// <summary>What it would move if all that is so now had been so for long enough, and nothing rested. Nothing is remembered of it.</summary>
    public BalancePlan Preview(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, BalanceExclusions excluded)
    {
        if ((_waits ?? WhoIsSilent(image, loads, excluded)) is { } reason)
        {
            return new BalancePlan([], reason);
        }

        var spread = LoadSpread.Of(image, loads, _averages, excluded, static _ => false);
        var due = Judge(spread).Where(judged => judged.IsSo).Select(judged => (judged.Goal, judged.Node)).ToHashSet();
        return new BalancePlan(Draft(spread, (goal, node) => due.Contains((goal, node)), Rules.MovesPerMinute));
    }

    /// <summary>What of nodes is as it should not be.</summary>
    private IEnumerable<(BalanceGoal Goal, NodeId Node, bool IsSo)> Judge(LoadSpread spread)
    {
        foreach (var node in spread.Nodes)
        {
            yield return (BalanceGoal.Overload, node.Node.Id, BusyProcessors.IsSo(node, Rules));
            yield return (BalanceGoal.Load, node.Node.Id, HighLoads.IsSo(node, spread, Rules));
            yield return (BalanceGoal.Count, node.Node.Id, HighCounts.IsSo(node, spread, Rules));
        }
    }

    private IReadOnlyList<BalanceMove> Draft(LoadSpread spread, Func<BalanceGoal, NodeId, bool> isDue, int room)
    {
        var draft = new BalanceDraft(spread, Rules, isDue, room);
        EmptyNodes.Plan(draft);
        BusyProcessors.Plan(draft);
        HighLoads.Plan(draft);
        HighCounts.Plan(draft);
        return draft.Moves;
    }

    /// <summary>Says who leads something and has not told of its load; null where nobody does.</summary>
    private static string? WhoIsSilent(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, BalanceExclusions excluded)
    {
        foreach (var partition in image.Topics.Values.SelectMany(topic => topic.Partitions))
        {
            if (partition.Leader is { } leader && !loads.ContainsKey(leader) && !excluded.Nodes.Contains(leader))
            {
                return $"Broker {leader} has not told of its load lately.";
            }
        }

        return null;
    }

    private void Forget(TimeSpan now)
    {
        foreach (var rested in _moved.Where(moved => now - moved.Value >= Rules.Rest).Select(moved => moved.Key).ToArray())
        {
            _moved.Remove(rested);
        }

        while (_lately.TryPeek(out var oldest) && now - oldest >= TimeSpan.FromMinutes(1))
        {
            _lately.Dequeue();
        }
    }
}
