namespace Millrace.Controller.Balancing;

/// <summary>What the balancer of this controller has planned: the last few thousand moves.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class BalanceHistory
{
    private const int Most = 5_000;

    private readonly Lock _lock = new();
    private readonly Queue<BalanceAction> _actions = [];
    private long _lastId;

    /// <summary>The oldest first.</summary>
    public IReadOnlyList<BalanceAction> Actions
    {
        get
        {
            lock (_lock)
            {
                return [.. _actions];
            }
        }
    }

    public void Add(DateTimeOffset now, BalanceMove move, bool isBegun)
    {
        lock (_lock)
        {
            _actions.Enqueue(new BalanceAction(++_lastId, now, move, isBegun));
            if (_actions.Count > Most)
            {
                _actions.Dequeue();
            }
        }
    }
}
