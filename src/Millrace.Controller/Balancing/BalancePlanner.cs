using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>
/// Says after each window which partitions others should lead. By its goals in their order (<see cref="BalanceGoal"/>): a node that has come is filled,
/// nobody's processors have too much to do, the highest load is lowered, numbers of partitions are evened.
/// </summary>
/// <remarks>
/// A function of what it was told so far: it looks at no clock and does nothing. What it moves it takes for done, and then sees whole windows go by before
/// it judges what has become of it. Threading: one at a time.
/// </remarks>
internal sealed class BalancePlanner(BalanceRules rules)
{
    private readonly LoadAverages _averages = new();
    private readonly Streaks _streaks = new();
    private readonly Dictionary<(Guid Topic, int Partition), TimeSpan> _moved = [];
    private readonly Queue<TimeSpan> _lately = [];

    /// <summary>Takes in what one window has brought.</summary>
    /// <param name="image">The cluster.</param>
    /// <param name="loads">The newest of every node that has said so lately.</param>
    /// <param name="excluded">What is left alone.</param>
    /// <param name="now">By any clock that only rises.</param>
    public BalancePlan Plan(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, BalanceExclusions excluded, TimeSpan now)
    {
        if (WhyNot(image, loads) is { } reason)
        {
            _streaks.Clear();
            return new BalancePlan([], reason);
        }

        Forget(now);
        _averages.Add(image, loads);
        var spread = LoadSpread.Of(image, loads, _averages, excluded, _moved.ContainsKey);
        foreach (var node in spread.Nodes)
        {
            _streaks.Observe(BalanceGoal.Overload, node.Node.Id, BusyProcessors.IsSo(node, rules));
            _streaks.Observe(BalanceGoal.Load, node.Node.Id, HighLoads.IsSo(node, spread, rules));
            _streaks.Observe(BalanceGoal.Count, node.Node.Id, HighCounts.IsSo(node, spread, rules));
        }

        var moves = Draft(spread, (goal, node) => _streaks.Of(goal, node) >= rules.Windows, rules.MovesPerMinute - _lately.Count);
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

        return new BalancePlan(moves);
    }

    /// <summary>What it would move if all that is so now had been so for long enough, and nothing rested. Nothing is remembered of it.</summary>
    public BalancePlan Preview(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, BalanceExclusions excluded)
    {
        if (WhyNot(image, loads) is { } reason)
        {
            return new BalancePlan([], reason);
        }

        var spread = LoadSpread.Of(image, loads, _averages, excluded, static _ => false);
        var due = new HashSet<(BalanceGoal, NodeId)>();
        foreach (var node in spread.Nodes)
        {
            Add(BalanceGoal.Overload, node, BusyProcessors.IsSo(node, rules));
            Add(BalanceGoal.Load, node, HighLoads.IsSo(node, spread, rules));
            Add(BalanceGoal.Count, node, HighCounts.IsSo(node, spread, rules));
        }

        return new BalancePlan(Draft(spread, (goal, node) => due.Contains((goal, node)), rules.MovesPerMinute));

        void Add(BalanceGoal goal, NodeShare node, bool isSo)
        {
            if (isSo)
            {
                due.Add((goal, node.Node.Id));
            }
        }
    }

    private IReadOnlyList<BalanceMove> Draft(LoadSpread spread, Func<BalanceGoal, NodeId, bool> isDue, int room)
    {
        var draft = new BalanceDraft(spread, rules, isDue, room);
        EmptyNodes.Plan(draft);
        BusyProcessors.Plan(draft);
        HighLoads.Plan(draft);
        HighCounts.Plan(draft);
        return draft.Moves;
    }

    /// <summary>Why there is nothing to judge; null if there is.</summary>
    private static string? WhyNot(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads)
    {
        foreach (var partition in image.Topics.Values.SelectMany(topic => topic.Partitions))
        {
            if (partition.PlannedTo is not null)
            {
                return partition.Leader is null ? "A failover is under way." : "Moves are under way.";
            }

            // Who leads nothing has come just now, perhaps, and has nothing to tell of.
            if (partition.Leader is { } leader && !loads.ContainsKey(leader))
            {
                return $"Broker {leader} has not told of its load lately.";
            }
        }

        return null;
    }

    private void Forget(TimeSpan now)
    {
        foreach (var rested in _moved.Where(moved => now - moved.Value >= rules.Rest).Select(moved => moved.Key).ToArray())
        {
            _moved.Remove(rested);
        }

        while (_lately.TryPeek(out var oldest) && now - oldest >= TimeSpan.FromMinutes(1))
        {
            _lately.Dequeue();
        }
    }
}
