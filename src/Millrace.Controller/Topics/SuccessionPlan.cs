using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>How many partitions have come to whom, for people.</summary>
internal sealed class SuccessionPlan
{
    private readonly SortedDictionary<NodeId, int> _planned = [];
    private int _led;
    private int _waiting;

    /// <summary>One is led by another at once.</summary>
    public void AddLed() => _led++;

    /// <summary>One waits for a WAL.</summary>
    /// <param name="survivor">Who recovers it; null if nobody lives who could.</param>
    public void AddPlanned(NodeId? survivor)
    {
        _waiting++;
        if (survivor is { } node)
        {
            _planned[node] = _planned.GetValueOrDefault(node) + 1;
        }
    }

    public override string ToString() =>
        $"{_led} are led by others at once, {_waiting} wait for a WAL"
        + (_planned.Count > 0 ? $" ({string.Join(", ", _planned.Select(share => $"{share.Value} for node {share.Key} to recover"))})" : "");
}
