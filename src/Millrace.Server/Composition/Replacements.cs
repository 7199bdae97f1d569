using Millrace.Runtime;

namespace Millrace.Server.Composition;

/// <summary>How soon and how often one incarnation may follow another. A fault that comes back is not worn out by trying for ever.</summary>
/// <remarks>Threading: one caller at a time.</remarks>
internal sealed class Replacements(NodeRuntime runtime)
{
    /// <summary>With the pauses between them, half a minute.</summary>
    public const int MostInARow = 10;

    /// <summary>An incarnation that has served for so long is none of a row.</summary>
    private static readonly TimeSpan LongEnough = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private readonly BackOff _pauses = new(runtime, FirstPause, LongestPause);
    private long? _servingSince;

    /// <summary>Incarnations that ended early, and starts that failed, since the last one that served for long.</summary>
    public int InARow { get; private set; }

    public void Serves() => _servingSince = runtime.Time.GetTimestamp();

    /// <summary>One is over, or could not start.</summary>
    /// <returns>How long to wait before the next; null if there shall be none.</returns>
    public TimeSpan? Next()
    {
        if (_servingSince is { } since && runtime.Time.GetElapsedTime(since) >= LongEnough)
        {
            InARow = 0;
            _pauses.Reset();
        }

        _servingSince = null;
        return ++InARow > MostInARow ? null : _pauses.Next();
    }
}
