namespace Millrace.Simulation.Kernel;

/// <summary>A timer that fires on a lane at a virtual time.</summary>
internal sealed class SimulationTimer(SimulationKernel kernel, Lane lane, TimerCallback callback, object? state, double rate) : ITimer
{
    private int _generation;
    private TimeSpan _period;
    private bool _disposed;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        if (_disposed)
        {
            return false;
        }

        _generation++;
        _period = period;
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            Schedule(dueTime);
        }

        return true;
    }

    public void Dispose()
    {
        _disposed = true;
        _generation++;
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Schedule(TimeSpan dueTime)
    {
        var generation = _generation;
        kernel.At(kernel.Now + (rate == 1 ? dueTime : dueTime / rate), lane, () => Fire(generation));
    }

    private void Fire(int generation)
    {
        // The timer may have been changed after it was due and before the lane had its turn.
        if (generation != _generation)
        {
            return;
        }

        if (_period > TimeSpan.Zero)
        {
            Schedule(_period);
        }

        callback(state);
    }
}
