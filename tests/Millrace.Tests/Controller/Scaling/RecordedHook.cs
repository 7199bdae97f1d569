using Millrace.Controller.Scaling;

namespace Millrace.Tests.Controller.Scaling;

/// <summary>A command that does nothing, remembers what it was told, and ends as the test has it. Threading: any thread.</summary>
internal sealed class RecordedHook : IScalerHook
{
    private readonly Lock _lock = new();
    private readonly List<ScaleOrder> _orders = [];
    private int _running;

    /// <summary>What becomes of a run, by its number from 0.</summary>
    public Func<int, ScaleOrder, Task<HookEnd>> Ends { get; set; } = static (_, _) => Task.FromResult(new HookEnd(HookOutcome.Done, ""));

    public IReadOnlyList<ScaleOrder> Orders
    {
        get
        {
            lock (_lock)
            {
                return [.. _orders];
            }
        }
    }

    /// <summary>The most that ran together.</summary>
    public int MostAtOnce { get; private set; }

    public async Task<HookEnd> RunAsync(ScaleOrder order, CancellationToken token)
    {
        int number;
        lock (_lock)
        {
            number = _orders.Count;
            _orders.Add(order);
            MostAtOnce = Math.Max(MostAtOnce, ++_running);
        }

        try
        {
            return await Ends(number, order).WaitAsync(token);
        }
        finally
        {
            lock (_lock)
            {
                _running--;
            }
        }
    }
}
