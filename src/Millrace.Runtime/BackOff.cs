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

    /// <summary>Makes attempts until one succeeds, with a pause after each that fails; the first failure that is not to be repeated ends it.</summary>
    /// <param name="attempt">Gets its number, from 1.</param>
    /// <param name="repeats">Whether this failure of the attempt with this number is followed by another attempt.</param>
    /// <param name="failed">Hears of each that is, with its number and the pause to come.</param>
    /// <param name="token">Ends the pauses; the attempts have it of their caller.</param>
    public async ValueTask<T> RepeatAsync<T>(
        Func<int, ValueTask<T>> attempt, Func<Exception, int, bool> repeats, Action<Exception, int, TimeSpan>? failed, CancellationToken token)
    {
        for (var number = 1; ; number++)
        {
            TimeSpan pause;
            try
            {
                return await attempt(number);
            }
            catch (Exception failure) when (repeats(failure, number))
            {
                pause = Next();
                failed?.Invoke(failure, number, pause);
            }

            await Task.Delay(pause, runtime.Time, token);
        }
    }

    /// <summary>An attempt has succeeded: the next pause is the first one again.</summary>
    public void Reset() => _next = Min(first, longest);

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
