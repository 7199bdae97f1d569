using System.Globalization;

namespace Millrace.Simulation.Kernel;

/// <summary>
/// What happened in a simulation: a hash over every step, which two runs of one seed share, and the last lines of what the
/// scenario noted, for people.
/// </summary>
public sealed class Trace(SimulationKernel kernel)
{
    private const int KeptLines = 400;
    private readonly Queue<string> _lines = new();

    public ulong Hash { get; private set; } = 0xCBF29CE484222325;

    /// <summary>Sees every line as it comes.</summary>
    public Action<string>? Listener { get; set; }

    public IReadOnlyCollection<string> Lines => _lines;

    public void Note(string text)
    {
        foreach (var c in text)
        {
            Mix(c);
        }

        var line = string.Create(CultureInfo.InvariantCulture, $"{kernel.Now.TotalMilliseconds,12:F3} {kernel.Running?.Name ?? "-",-10} {text}");
        Listener?.Invoke(line);
        _lines.Enqueue(line);
        if (_lines.Count > KeptLines)
        {
            _lines.Dequeue();
        }
    }

    internal void Mix(long time, int lane, long sequence)
    {
        Mix((ulong)time);
        Mix((ulong)lane);
        Mix((ulong)sequence);
    }

    private void Mix(ulong value) => Hash = (Hash ^ value) * 0x100000001B3 ^ (Hash >> 29);
}
