namespace Millrace.Runtime;

/// <summary>
/// Whether something has been lacking lately, so that a log says once that it is and once that it no longer is, however often
/// it is met in between.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
public sealed class Shortage(TimeProvider time)
{
    /// <summary>It is over when it has not been met for so long: at most two lines in this time.</summary>
    public static readonly TimeSpan Calm = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private long _lastMet;
    private bool _lasts;

    /// <summary>Notes that the thing is lacking.</summary>
    /// <returns>Whether that is news.</returns>
    public bool Begin()
    {
        lock (_lock)
        {
            _lastMet = time.GetTimestamp();
            return !_lasts && (_lasts = true);
        }
    }

    /// <summary>Whether the shortage is over, which is said once.</summary>
    public bool TryEnd()
    {
        // Asked with every connection, and almost never true.
        if (!Volatile.Read(ref _lasts))
        {
            return false;
        }

        lock (_lock)
        {
            if (!_lasts || time.GetElapsedTime(_lastMet) < Calm)
            {
                return false;
            }

            _lasts = false;
            return true;
        }
    }
}
