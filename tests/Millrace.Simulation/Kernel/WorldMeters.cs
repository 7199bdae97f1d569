using System.Diagnostics.Metrics;

namespace Millrace.Simulation.Kernel;

/// <summary>
/// The meters that the nodes of one world have made. The framework keeps every meter until it is disposed of, and with it whatever its gauges look at; a node
/// that is killed disposes of nothing, so that worlds would pile up.
/// </summary>
/// <remarks>Threading: worlds run side by side, each on a thread of its own; what is made on another is none of this one's.</remarks>
internal sealed class WorldMeters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly HashSet<Meter> _meters = [];

    /// <param name="isOnThread">Whether the caller runs on the thread of the world.</param>
    public WorldMeters(Func<bool> isOnThread)
    {
        // Those that are there already are shown as it starts, and are others'.
        var hasStarted = false;
        _listener.InstrumentPublished = (instrument, _) =>
        {
            if (Volatile.Read(ref hasStarted) && isOnThread())
            {
                _meters.Add(instrument.Meter);
            }
        };
        _listener.Start();
        Volatile.Write(ref hasStarted, true);
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var meter in _meters)
        {
            meter.Dispose();
        }
    }
}
