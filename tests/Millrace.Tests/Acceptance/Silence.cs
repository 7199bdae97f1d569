using System.Diagnostics;

namespace Millrace.Tests.Acceptance;

/// <summary>How long applications waited: the longest time for which nothing at all was acknowledged to a load.</summary>
internal sealed class Silence
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);
    private readonly CancellationTokenSource _over = new();
    private readonly Task<TimeSpan> _measuring;

    /// <summary>Begins to measure.</summary>
    public Silence(Load load) => _measuring = Task.Run(() => MeasureAsync(load));

    /// <summary>Ends it.</summary>
    public async Task<TimeSpan> LongestAsync()
    {
        _over.Cancel();
        var longest = await _measuring;
        _over.Dispose();
        return longest;
    }

    private async Task<TimeSpan> MeasureAsync(Load load)
    {
        var (longest, count, since) = (TimeSpan.Zero, load.Count, Stopwatch.GetTimestamp());
        while (!_over.IsCancellationRequested)
        {
            await Task.Delay(Interval);
            var elapsed = Stopwatch.GetElapsedTime(since);
            longest = elapsed > longest ? elapsed : longest;
            if (load.Count != count)
            {
                (count, since) = (load.Count, Stopwatch.GetTimestamp());
            }
        }

        return longest;
    }
}
