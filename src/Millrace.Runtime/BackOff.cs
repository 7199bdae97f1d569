namespace Millrace.Runtime;

/// <summary>
/// The pauses between attempts at one thing: each is twice as long as the one before, up to a longest. Lots are drawn about each, lest all
/// who failed together come back together.
/// </summary>
/// <remarks>Threading: one caller at a time.</remarks>
/// <param name="runtime">Time and lots.</param>
/// <param name="first">The first pause, without its lot.</param>
/// <param name="longest">The longest one, without its lot.</param>
public sealed class BackOff(NodeRuntime runtime, TimeSpan first, TimeSpan longest)
{
    private TimeSpan _next = Min(first, longest);

    /// <summary>How long to wait before the next attempt: half to one and a half times the pause.</summary>
    public TimeSpan Next()
    {
        var pause = _next * (0.5 + runtime.Random.NextDouble());
        _next = Min(_next * 2, longest);
        return pause;
    }

    /// <summary>Waits for <see cref="Next"/>.</summary>
    public Task PauseAsync(CancellationToken token) => Task.Delay(Next(), runtime.Time, token);

    /// <summary>An attempt has succeeded: the next pause is the first one again.</summary>
    public void Reset() => _next = Min(first, longest);

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
