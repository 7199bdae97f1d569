namespace Millrace.Runtime;

/// <summary>
/// Whether something has been lacking lately, so that a log says once that it is and once that it no longer is, however often
/// it is met in between.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="time">Measures the calm.</param>
/// <param name="calm">It is over when it has not been met for so long: at most two lines in this time.</param>
public sealed class Shortage(TimeProvider time, TimeSpan calm)
{
    /// <summary>The calm where nobody waits for the line that says that it is over.</summary>
    public static readonly TimeSpan UsualCalm = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private long _begun;
    private long _lastMet;
    private bool _lasts;

    public Shortage(TimeProvider time)
        : this(time, UsualCalm)
    {
    }

    /// <summary>Notes that the thing is lacking.</summary>
    /// <returns>Whether that is news.</returns>
    public bool Begin()
    {
        lock (_lock)
        {
            _lastMet = time.GetTimestamp();
            if (_lasts)
            {
                return false;
            }

            _begun = _lastMet;
            return _lasts = true;
        }
    }

    /// <summary>Whether the shortage is over, which is said once.</summary>
    public bool TryEnd() => TryEnd(out _);

    /// <summary>As above.</summary>
    /// <param name="lasted">From when it was first met to when it was last met.</param>
    public bool TryEnd(out TimeSpan lasted)
    {
        lasted = default;

        // Asked with every connection, and almost never true.
        if (!Volatile.Read(ref _lasts))
        {
            return false;
        }

        lock (_lock)
        {
            if (!_lasts || time.GetElapsedTime(_lastMet) < calm)
            {
                return false;
            }

            _lasts = false;
            lasted = time.GetElapsedTime(_begun, _lastMet);
            return true;
        }
    }
}
