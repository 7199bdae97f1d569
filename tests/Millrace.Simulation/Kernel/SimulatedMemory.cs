namespace Millrace.Simulation.Kernel;

/// <summary>
/// A machine's memory: full of others' things at times, so that the next taking fails, or some later one, or only large ones;
/// once, or again and again until something is given back.
/// </summary>
public sealed class SimulatedMemory(SimulationKernel kernel, string machine)
{
    private int _good;
    private int _bad;
    private long _atLeast;
    private Action? _then;

    /// <summary>How often a taking has failed.</summary>
    public int Failures { get; private set; }

    /// <summary>The n-th taking from now fails, and maybe some that follow it.</summary>
    /// <param name="then">What the system does to a process whose memory has run out, a moment after that: nothing, or its end.</param>
    public void RunOut(Action? then = null)
    {
        var random = kernel.Random;
        _good = random.Next(random.Pick([1, 10, 200]));
        _bad = random.Pick([1, 1, 2, 10, 100]);
        // Small things still find a gap where a large one does not.
        _atLeast = random.Pick([0, 0, 8 << 10, 64 << 10]);
        _then = then;
    }

    /// <summary>There is enough again: a new process begins, or the scenario ends.</summary>
    public void Recover() => (_bad, _then) = (0, null);

    /// <summary>Where there is to be none, throws an <see cref="OutOfMemoryException"/>.</summary>
    internal void Take(long bytes)
    {
        if (_bad == 0 || bytes < _atLeast)
        {
            return;
        }

        if (_good > 0)
        {
            _good--;
            return;
        }

        _bad--;
        Failures++;
        kernel.Coverage.Count(CoverageNames.Faults);
        kernel.Coverage.Count("memory: ran out");
        kernel.Trace.Note($"{machine} has no memory for {bytes} bytes");
        if (_then is { } then)
        {
            _then = null;
            kernel.At(kernel.Now + kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(20)), kernel.World, then);
        }

        throw new InsufficientMemoryException($"{machine} has no memory for {bytes} bytes");
    }
}
