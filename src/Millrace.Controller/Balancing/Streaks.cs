using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>For how many windows one after another something was so of nodes.</summary>
internal sealed class Streaks
{
    private readonly Dictionary<(BalanceGoal Goal, NodeId Node), int> _windows = [];

    public void Observe(BalanceGoal goal, NodeId node, bool isSo)
    {
        if (isSo)
        {
            _windows[(goal, node)] = Of(goal, node) + 1;
        }
        else
        {
            _windows.Remove((goal, node));
        }
    }

    public int Of(BalanceGoal goal, NodeId node) => _windows.GetValueOrDefault((goal, node));

    /// <summary>From now on everything is counted anew: what was seen before says nothing of what comes.</summary>
    public void Clear() => _windows.Clear();
}
