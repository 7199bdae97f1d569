using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>A plan that is being put together: each goal in its turn sees what those before it have moved.</summary>
/// <param name="spread">As it is now; moved on with each move.</param>
/// <param name="rules">When a goal is reached.</param>
/// <param name="isDue">Whether what a goal is for has been so of a node for long enough.</param>
/// <param name="room">How many moves there may be, but for those that fill.</param>
internal sealed class BalanceDraft(LoadSpread spread, BalanceRules rules, Func<BalanceGoal, NodeId, bool> isDue, int room)
{
    private readonly List<BalanceMove> _moves = [];
    private int _room = room;

    public LoadSpread Spread { get; } = spread;

    public BalanceRules Rules { get; } = rules;

    public IReadOnlyList<BalanceMove> Moves => _moves;

    public bool HasRoom => HasRoomFor(1);

    public bool HasRoomFor(int moves) => _room >= moves;

    /// <summary>The nodes of which something has been so for long enough, in the order of how much.</summary>
    public IEnumerable<NodeShare> Due(BalanceGoal goal, Func<NodeShare, double> by) =>
        Spread.Nodes.Where(node => isDue(goal, node.Node.Id)).OrderByDescending(by).ToArray();

    /// <summary>Another node leads a partition from now on, and it is not moved again by this plan.</summary>
    /// <param name="partition">It may be moved.</param>
    /// <param name="from">Who leads it.</param>
    /// <param name="to">Who is to.</param>
    /// <param name="goal">What for.</param>
    /// <param name="measure">What the goal is about.</param>
    public void Move(LedPartition partition, NodeShare from, NodeShare to, BalanceGoal goal, Func<NodeShare, double> measure)
    {
        var (fromBefore, toBefore) = (measure(from), measure(to));
        LoadSpread.Move(partition, from, to);
        _moves.Add(new BalanceMove(
            partition.Topic.Id, partition.Image.Index, from.Node.Id, to.Node.Id, goal, (long)partition.Bytes,
            (fromBefore, measure(from)), (toBefore, measure(to))));
        if (goal != BalanceGoal.Fill)
        {
            _room--;
        }
    }

    /// <summary>
    /// Of the partitions that may move, the one whose load is nearest to what is wanted. Among equals one that others of its topic are left behind of, and a
    /// coordinator's, which has to be loaded again, last.
    /// </summary>
    /// <param name="from">Who leads them.</param>
    /// <param name="to">Who is to lead it.</param>
    /// <param name="wanted">Bytes a second.</param>
    /// <param name="fits">Whether it may be one of such a load.</param>
    /// <returns>Null where none fits.</returns>
    public static LedPartition? Nearest(NodeShare from, NodeShare to, double wanted, Func<double, bool> fits)
    {
        LedPartition? best = null;
        var bestDistance = double.MaxValue;
        foreach (var partition in from.Partitions)
        {
            if (!partition.MayMove || !fits(partition.Bytes))
            {
                continue;
            }

            // What differs by less than a percent is the same.
            var distance = Math.Abs(partition.Bytes - wanted);
            var isSame = best is not null && Math.Abs(distance - bestDistance) <= Math.Max(1, wanted / 100);
            if (isSame ? RankOf(partition.Topic) > RankOf(best!.Topic) : distance < bestDistance)
            {
                (best, bestDistance) = (partition, distance);
            }
        }

        return best;

        int RankOf(TopicImage topic) => from.CountOf(topic.Id) - to.CountOf(topic.Id) - (topic.IsInternal ? from.Count : 0);
    }
}
